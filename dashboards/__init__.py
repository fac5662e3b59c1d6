"""What a rower looks at afterwards: one page per session, one page of history.

    choose ──▶ draw ──▶ page ──▶ report (files)  or  app (a server)

`session` and `history` choose what is shown and draw it; `page` holds the one HTML template; `session_page` and
`history_page` fill it; `report` writes files and `app` serves them.  This package reads the documents and tables of
the contract (`docs/contract.md`) and is imported by nothing but the command line.  Plotly is used here only.
"""
