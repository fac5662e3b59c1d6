"""How well what rowing costs is reckoned: every formula on measured oxygen uptake, each study weighing the same."""
