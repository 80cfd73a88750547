"""`python -m tests.faults.worker …`: Celery as in production, with the run's shortened times.

Takes Celery's own arguments, such as `worker --pool prefork`.
"""

import os
import sys

import django
from celery.__main__ import main

from tests.faults.times import apply, from_environment

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercare.settings")

if __name__ == "__main__":
    django.setup()
    apply(from_environment())
    sys.argv = ["celery", "-A", "aftercare", *sys.argv[1:]]
    main()
