"""A play as a picture: one page of HTML that needs nothing but itself.

`recording` keeps what happens, `play` sorts it by deployment; the pure functions of `scale`, `lanes`, `traffic`, `answers`,
`measurements`, `latency` and `happenings` make of it what the page shows, `charts` draws it, and `page` writes it.
"""
