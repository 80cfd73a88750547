"""The fault run: `python -m tests.faults` breaks what can break and counts what became of it.

Real PostgreSQL (fsync on), Valkey, workers, beats and web server; the stand-in phone judges, over
HTTP, by what a provider would have received. One row of the table is one fault:

    fault     what was done, over and over
    N         how often, and to how many reminders
    lost      due reminders that neither reached the provider nor ended in a final state nor
              stand before a nurse
    doubled   texts beyond the first with the same words to the same number; the words carry the
              treatment's own link, so one (To, Body) is one (treatment, rule, occurrence)
    passed    lost and doubled are 0, nothing is left in between, and the row's own promise holds
    note      what else was measured; behind a `!` what did not hold

The last row cannot be zero: a provider that knows a message and does not list it in time. It is
printed as measured and fails nothing. The exit code is 1 if any other row has not passed. Waiting
times are shortened for the run and printed above the table; `var/faults.json` keeps the rows.

Most of the time is waiting, so two lanes play side by side, each on servers of its own. What is
about speed at its full size (the soak; how long a doubt lasts) is played alone, at the end. A lane
that dies is a red row.

    python -m tests.faults               every fault at its full N
    python -m tests.faults --small       every fault once or a few times, in minutes
    python -m tests.faults --only NAME   one of them (several: repeat it); --list names them
    python -m tests.faults --lanes 1     one after the other
"""
