"""What a rower looks at afterwards: one page per session, one that compares it with earlier ones, one of history.

    choose ──▶ draw ──▶ page ──▶ report (files)  or  app (a server)

`session`, `strokes`, `zones`, `formulas`, `interval_table`, `machines`, `compare` and `history` choose what is shown
and draw it, as figures of plotly or as tables; `page` holds the one HTML template; `session_page`, `compare_page` and
`history_page` fill it; `report` writes files and `app` serves them.  This package reads the documents and tables of the
contract (`docs/contract.md`) and is imported by nothing but the command line.  Plotly is used here only.
"""
