"""What a TCX file may hold, written from Garmin's documented rules: order, number and types of elements.

The part of the Training Center Database (version 2) and of the Activity Extension (version 2) that an activity uses.
"""

from __future__ import annotations

from lxml import etree

TCX = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
AX = "http://www.garmin.com/xmlschemas/ActivityExtension/v2"

_DATABASE = f"""
<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="{TCX}" targetNamespace="{TCX}"
            elementFormDefault="qualified">
  <xsd:element name="TrainingCenterDatabase"><xsd:complexType><xsd:sequence>
    <xsd:element name="Activities" minOccurs="0"><xsd:complexType><xsd:sequence>
      <xsd:element name="Activity" type="Activity" minOccurs="0" maxOccurs="unbounded"/>
    </xsd:sequence></xsd:complexType></xsd:element>
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:complexType name="Activity"><xsd:sequence>
    <xsd:element name="Id" type="xsd:dateTime"/>
    <xsd:element name="Lap" type="Lap" maxOccurs="unbounded"/>
    <xsd:element name="Notes" type="xsd:string" minOccurs="0"/>
  </xsd:sequence><xsd:attribute name="Sport" type="Sport" use="required"/></xsd:complexType>
  <xsd:simpleType name="Sport"><xsd:restriction base="xsd:token">
    <xsd:enumeration value="Running"/><xsd:enumeration value="Biking"/><xsd:enumeration value="Other"/>
  </xsd:restriction></xsd:simpleType>
  <xsd:complexType name="Lap"><xsd:sequence>
    <xsd:element name="TotalTimeSeconds" type="xsd:double"/>
    <xsd:element name="DistanceMeters" type="xsd:double"/>
    <xsd:element name="MaximumSpeed" type="xsd:double" minOccurs="0"/>
    <xsd:element name="Calories" type="xsd:unsignedShort"/>
    <xsd:element name="AverageHeartRateBpm" type="HeartRate" minOccurs="0"/>
    <xsd:element name="MaximumHeartRateBpm" type="HeartRate" minOccurs="0"/>
    <xsd:element name="Intensity"><xsd:simpleType><xsd:restriction base="xsd:token">
      <xsd:enumeration value="Active"/><xsd:enumeration value="Resting"/>
    </xsd:restriction></xsd:simpleType></xsd:element>
    <xsd:element name="Cadence" type="Cadence" minOccurs="0"/>
    <xsd:element name="TriggerMethod"><xsd:simpleType><xsd:restriction base="xsd:token">
      <xsd:enumeration value="Manual"/><xsd:enumeration value="Distance"/><xsd:enumeration value="Location"/>
      <xsd:enumeration value="Time"/><xsd:enumeration value="HeartRate"/>
    </xsd:restriction></xsd:simpleType></xsd:element>
    <xsd:element name="Track" minOccurs="0" maxOccurs="unbounded"><xsd:complexType><xsd:sequence>
      <xsd:element name="Trackpoint" type="Trackpoint" maxOccurs="unbounded"/>
    </xsd:sequence></xsd:complexType></xsd:element>
    <xsd:element name="Notes" type="xsd:string" minOccurs="0"/>
    <xsd:element name="Extensions" type="Extensions" minOccurs="0"/>
  </xsd:sequence><xsd:attribute name="StartTime" type="xsd:dateTime" use="required"/></xsd:complexType>
  <xsd:complexType name="Trackpoint"><xsd:sequence>
    <xsd:element name="Time" type="xsd:dateTime"/>
    <xsd:element name="AltitudeMeters" type="xsd:double" minOccurs="0"/>
    <xsd:element name="DistanceMeters" type="xsd:double" minOccurs="0"/>
    <xsd:element name="HeartRateBpm" type="HeartRate" minOccurs="0"/>
    <xsd:element name="Cadence" type="Cadence" minOccurs="0"/>
    <xsd:element name="Extensions" type="Extensions" minOccurs="0"/>
  </xsd:sequence></xsd:complexType>
  <xsd:complexType name="HeartRate"><xsd:sequence>
    <xsd:element name="Value"><xsd:simpleType><xsd:restriction base="xsd:unsignedByte">
      <xsd:minInclusive value="1"/>
    </xsd:restriction></xsd:simpleType></xsd:element>
  </xsd:sequence></xsd:complexType>
  <xsd:simpleType name="Cadence"><xsd:restriction base="xsd:unsignedByte">
    <xsd:maxInclusive value="254"/>
  </xsd:restriction></xsd:simpleType>
  <xsd:complexType name="Extensions"><xsd:sequence>
    <xsd:any namespace="##other" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
  </xsd:sequence></xsd:complexType>
</xsd:schema>
"""

_EXTENSION = f"""
<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns="{AX}" targetNamespace="{AX}"
            elementFormDefault="qualified">
  <xsd:element name="TPX"><xsd:complexType><xsd:sequence>
    <xsd:element name="Speed" type="xsd:double" minOccurs="0"/>
    <xsd:element name="RunCadence" type="xsd:unsignedByte" minOccurs="0"/>
    <xsd:element name="Watts" type="xsd:unsignedShort" minOccurs="0"/>
  </xsd:sequence></xsd:complexType></xsd:element>
  <xsd:element name="LX"><xsd:complexType><xsd:sequence>
    <xsd:element name="AvgSpeed" type="xsd:double" minOccurs="0"/>
    <xsd:element name="MaxBikeCadence" type="xsd:unsignedByte" minOccurs="0"/>
    <xsd:element name="AvgRunCadence" type="xsd:unsignedByte" minOccurs="0"/>
    <xsd:element name="MaxRunCadence" type="xsd:unsignedByte" minOccurs="0"/>
    <xsd:element name="Steps" type="xsd:unsignedShort" minOccurs="0"/>
    <xsd:element name="AvgWatts" type="xsd:unsignedShort" minOccurs="0"/>
    <xsd:element name="MaxWatts" type="xsd:unsignedShort" minOccurs="0"/>
  </xsd:sequence></xsd:complexType></xsd:element>
</xsd:schema>
"""

_SCHEMAS = [etree.XMLSchema(etree.fromstring(text)) for text in (_DATABASE, _EXTENSION)]


def objections(content):
    """What a TCX file does against the rules."""
    root = etree.fromstring(content)
    database, extension = _SCHEMAS
    database.validate(root)
    found = [str(error) for error in database.error_log]
    for each in root.iter(f"{{{AX}}}TPX", f"{{{AX}}}LX"):
        if not extension.validate(each):
            found += map(str, extension.error_log)
    return found
