"""What every test runs with: one thread of linear algebra, as workers have, set before numpy is loaded.

Tests run on all cores, a process each: more threads would only wait for each other.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
