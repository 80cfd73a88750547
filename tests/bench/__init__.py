"""The benchmark: `python -m tests.bench` measures this site beside what people usually build.

Everything runs side by side in one run: the same rows, the same PostgreSQL (fsync on), the same
stand-in provider (`tests.phone`), at 0 and at 100 ms of latency. The contenders:

    loop     `for r in due: send(r); r.save()`, Twilio's SDK with its own HTTP client, one process
    eta      one Celery task a reminder with `eta=`, prefork of two, three queries each
    jobs     one procrastinate job a reminder with `schedule_at=`, two workers, as its guide for
             Django says; `jobs 30` with `--concurrency=30`
    ours     two worker processes, 100 calls in flight each; checks, ledger, and receipts that come
             back through a real gunicorn at a carrier's pace (seconds, printed with the figure);
             `at once`: all three within 1.1 s; `later`: after the run
    limit    the same calls from two processes, 100 in flight each, and nothing else

A row of the table is one figure, the peer it stands beside, and their ratio; where a target was
set, whether it is met. A missed target is printed and fails nothing. The times of a shared machine
move by a factor; the ratios of one run are what counts. `var/bench.json` keeps the rows.

How each figure is counted:

- *reminders/s*: from the first call to the last reminder accepted and recorded. The phone's clock
  says when a call came, the recorded rows when the last one was written down.
- *CPU ms*: user and system time of the worker processes and their pool, over the whole run.
- *queries*: what `pg_stat_statements` counted for the contender's own database role; BEGIN, COMMIT
  and their kind are counted apart. The web server has a role of its own, so what receipts cost is
  never mixed in.
- *memory*: PSS, which shares out what several processes have in common; and RSS.

    python -m tests.bench               all of it
    python -m tests.bench --quick       a look: small numbers, a few minutes
    python -m tests.bench --only NAME   one part (several: repeat it)
"""
