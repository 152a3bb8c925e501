"""The report of `--report`: one self-contained HTML page about deployments that were played.

`recording` keeps the records and sorts them by deployment. `swimlanes`, `answers`, `measurements`, `latency`, `event_log` and
`verdict` turn them into the contents of the page and its charts, on the axis of `scale` and with the elements of `svg`;
`page` renders the template.
"""
