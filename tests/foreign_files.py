"""Small files as other tools write them: FIT from its bytes, TCX, and the tables of eight tools."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

BEGAN = datetime(2024, 5, 4, 7, 30, tzinfo=UTC)
FIT_EPOCH_S = 631_065_600
"""FIT counts seconds from the end of 1989."""


def clock(seconds):
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def iso(seconds):
    return datetime.fromtimestamp(BEGAN.timestamp() + seconds, UTC).isoformat().replace("+00:00", "Z")


# --- FIT --------------------------------------------------------------------------------------------------------------

RECORD, LAP, SESSION, FILE_ID = 20, 19, 18, 0
TIMESTAMP = (253, 0x86, "I")
FIELDS = {
    FILE_ID: ((0, 0x00, "B"),),
    RECORD: (
        TIMESTAMP,
        *((5, 0x86, "I"), (7, 0x84, "H"), (4, 0x02, "B"), (3, 0x02, "B"), (73, 0x86, "I"), (19, 0x86, "I")),
        (33, 0x84, "H"),
    ),
    LAP: (TIMESTAMP, (2, 0x86, "I")),
    SESSION: (
        TIMESTAMP,
        *((2, 0x86, "I"), (5, 0x00, "B"), (6, 0x00, "B"), (7, 0x86, "I"), (9, 0x86, "I"), (10, 0x86, "I")),
        (11, 0x84, "H"),
    ),
}
"""Fields of messages by number, base type and struct code, from the FIT profile."""


def fit(*messages):
    """A FIT file of messages (a number, then its values as they are on the wire)."""
    body = b""
    for number, *values in messages:
        fields = FIELDS[number]
        body += struct.pack("<BBBHB", 0x40, 0, 0, number, len(fields))
        body += b"".join(struct.pack("BBB", each, struct.calcsize(code), kind) for each, kind, code in fields)
        body += b"\x00" + struct.pack("<" + "".join(code for *_, code in fields), *values)
    header = struct.pack("<BBHI4s", 14, 0x10, 2132, len(body), b".FIT")
    whole = header + struct.pack("<H", fit_crc(header)) + body
    return whole + struct.pack("<H", fit_crc(whole))


def fit_crc(content):
    """CRC-16 of the FIT protocol (ARC)."""
    crc = 0
    for octet in content:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc


def fit_at(seconds):
    return int(BEGAN.timestamp()) + seconds - FIT_EPOCH_S


def fit_row(sport=15, sub_sport=14, seconds=120, began_s=0, energy_kcal=25, strokes=48):
    """Messages of a row at 4 m/s, 24 strokes a minute, 180 W and 130 beats a minute, in two laps."""
    uncounted = (0xFFFFFFFF, 0xFFFF)  # strokes and kcal
    records = [
        (RECORD, fit_at(began_s + second), second * 400, 180, 24, 130, 4000, *uncounted)
        for second in range(seconds + 1)
    ]
    laps = [(LAP, fit_at(began_s + end), fit_at(began_s)) for end in (seconds // 2, seconds)]
    totals = (seconds * 1000, seconds * 400, strokes, energy_kcal)
    return [*records, *laps, (SESSION, fit_at(began_s + seconds), fit_at(began_s), sport, sub_sport, *totals)]


# --- TCX --------------------------------------------------------------------------------------------------------------


def tcx(sport="Other", seconds=120, zone="Z", head="", watts=True):
    """A row at 4 m/s and 24 strokes a minute, in two laps."""
    laps = []
    for start in (0, seconds // 2):
        points = "".join(
            f"<Trackpoint><Time>{iso(second).replace('Z', zone)}</Time><DistanceMeters>{second * 4}</DistanceMeters>"
            "<HeartRateBpm><Value>130</Value></HeartRateBpm><Cadence>24</Cadence>"
            + ("<Extensions><ns3:TPX><ns3:Watts>180</ns3:Watts></ns3:TPX></Extensions>" if watts else "")
            + "</Trackpoint>"
            for second in range(start, start + seconds // 2 + 1)
        )
        laps.append(
            f'<Lap StartTime="{iso(start)}"><TotalTimeSeconds>{seconds / 2}</TotalTimeSeconds><DistanceMeters>'
            f"{seconds * 2}</DistanceMeters><Calories>12</Calories><AverageHeartRateBpm><Value>130</Value>"
            f"</AverageHeartRateBpm><Track>{points}</Track></Lap>"
        )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{head}<TrainingCenterDatabase '
        'xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2" '
        'xmlns:ns3="http://www.garmin.com/xmlschemas/ActivityExtension/v2"><Activities>'
        f'<Activity Sport="{sport}"><Id>{iso(0)}</Id>{"".join(laps)}</Activity></Activities></TrainingCenterDatabase>'
    ).encode()


# --- tables -----------------------------------------------------------------------------------------------------------

STROKES = range(1, 51)
"""Fifty strokes of 2.5 s and 10 m: 125 s, 500 m, pace 2:05."""


def lines(heading, line, strokes=STROKES):
    return "\n".join([heading, *map(line, strokes)]).encode() + b"\n"


def concept2(pace="125.0", watts=180):
    return lines(
        'Number,"Time (seconds)","Distance (meters)","Pace (seconds)",Watts,Cal/Hr,"Stroke Rate","Heart Rate"',
        lambda n: f"{n},{n * 2.5},{n * 10}.0,{pace},{watts},900,24,",
    )


def ergdata():
    return lines(
        '"Stroke Number","Time (seconds)","Distance (meters)","Pace (seconds per 500m","Stroke Rate","Heart Rate"',
        lambda n: f'"{n}","{n * 2.5}","{n * 10}.0","125.0","24","140"',
    )


def ergstick():
    return lines(
        "Total elapsed time (s),Total distance (m),Stroke rate (/min),Current heart rate (bpm),Current pace (/500m),"
        "Interval count,Stroke count,Stroke power (W)",
        lambda n: (
            f"{(n if n <= 25 else n - 25) * 2.5},{(n if n <= 25 else n - 25) * 10}.0,24,140,125.0,{n // 26},{n},180"
        ),
    )


def painsled():
    def line(n):
        return f'4," ""{iso((n - 1) * 2.5)}""",{(n - 1) * 10},{n},0,0,2500,10,250,24,180,140," ""{iso(0)}""", ,'

    return lines(
        "stroke.REVISION, stroke.driveStartMs, stroke.startIntervalMeter, stroke.strokeNumber, stroke.strokeType, "
        "stroke.intervalNumber, stroke.strokeTimeMs, stroke.strokeMeters, stroke.paceSecPer1k, stroke.strokesPerMin, "
        'stroke.watts, stroke.hrBpm, workout.startMs, stroke.forceMap," ""Note that this is a beta format"""',
        line,
    )


def painsled_twice():
    """The same again an hour and a half later, in the same file."""
    second = painsled().replace(b"2024-05-04T07", b"2024-05-04T09")
    return painsled() + second.split(b"\n", 1)[1]


def rp3():
    def line(n):
        in_piece = n if n <= 25 else n - 25
        return f',{100 + (n > 25)},{in_piece},180.5,24.0,{in_piece * 2.5},{in_piece * 10}.0,125.0,140,"3,16,99"'

    return lines(
        '"id","workout_interval_id","stroke_number","power","stroke_rate","time","distance","estimated_500m_time",'
        '"pulse","curve_data"',
        line,
    )


def smartrow():
    return lines(
        "Stroke (#);Second (#);Timestamp (UTC);Distance (m);Work (J);Actual power (W);Average power (W);"
        "Actual split (s);Average split (s);Stroke rate (SPM);Heart rate (bpm)\r",
        lambda n: f"{n};{n * 5 // 2};{iso(n * 5 // 2)};{n * 10};122,7;{'180,4' if n > 1 else ' '}; ;125; ;23,8; \r",
    )


def boatcoach():
    return b"Workout data for: Mike    Club: PBC    Date: 2024-05-04 08:30\n" + lines(
        "workoutType,intervalCount,strokeRate,currentHeartRate,workTime,restTime,workDistance,stroke500MPace,"
        "strokePower,strokeCount,,PowerCurve",
        lambda n: f"Fixed,0,24,140,{clock(n * 5 // 2)},0:00:00,{n * 10},0:02:05,180,{n},,",
    )


def kinomap():
    return lines(
        "Date,Latitude,Longitude,Altitude,Distance,Speed,Heart rate,Power,Cadence",
        lambda n: f"{iso(n - 1)},49.2,16.4,229,{(n - 1) * 4},14.4,140,180,24",
        range(1, 127),
    )


def rowingdata():
    return lines(
        "index,TimeStamp (sec), Horizontal (meters), Cadence (stokes/min), HRCur (bpm), Stroke500mPace (sec/500m), "
        "Power (watts), lapIdx, ElapsedTime (sec)",
        lambda n: f"{n},{BEGAN.timestamp() + n * 2.5},{n * 10}.0,24,140,125.0,180,0,{n * 2.5}",
    )


TABLES = {
    "Concept2 logbook": concept2,
    "ErgStick": ergstick,
    "Painsled": painsled,
    "RP3": rp3,
    "SmartRow": smartrow,
    "BoatCoach": boatcoach,
    "Kinomap": kinomap,
    "rowingdata": rowingdata,
}
DATED = {"Painsled", "SmartRow", "BoatCoach", "Kinomap", "rowingdata"}
