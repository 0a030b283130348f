"""Tables and figures of the GATE paper, ours beside the printed ones, in every format.

ours.py      what was measured, and ranks that tied leaders share
tables/      one table model (table.py), and what goes into each table; TABLES names them
formats/     the same tables as markdown, CSV, LaTeX, JSON, HTML, PNG and SVG; FORMATS names them
"""
