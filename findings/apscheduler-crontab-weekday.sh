#!/usr/bin/env bash
# One would guess that CronTrigger.from_crontab of APScheduler counts weekdays as crontab does, where 0 or 7
# is Sunday and 1 is Monday: to take such expressions as they are is what the method is for.
# It counts from Monday as 0: "0 9 * * 1-5" runs from Tuesday to Saturday, "0 9 * * 0" on Monday, and 7 is
# refused. Names (mon-fri) mean what they say. croniter counts as crontab does.
# Seen on 2026-11-28 with apscheduler 3.11.3 and croniter 7.0.0 on Python 3.11.
# For schedules that move between crontab, EventBridge (1 is Sunday there) and a library: write names.
# A job for working days misses each Monday and runs on each Saturday, without an error.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q apscheduler==3.11.3 croniter==7.0.0

cat > "$dir/probe.py" <<'PY'
from datetime import datetime, timedelta, timezone

from apscheduler.triggers.cron import CronTrigger
from croniter import croniter

start = datetime(2026, 1, 1, tzinfo=timezone.utc)
for expression in ["0 9 * * 1-5", "0 9 * * 0", "0 9 * * mon-fri"]:
    trigger, at, scheduler = CronTrigger.from_crontab(expression, timezone.utc), start, []
    crontab = croniter(expression, start)
    for _ in range(5):
        at = trigger.get_next_fire_time(None, at + timedelta(seconds=1))
        scheduler.append(f"{at:%a} {at.day}.{at.month}")
    crontab = [f"{day:%a} {day.day}.{day.month}" for day in (crontab.get_next(datetime) for _ in range(5))]
    print(f"{expression} apscheduler: {', '.join(scheduler)}")
    print(f"{expression} croniter: {', '.join(crontab)}")
PY
cat > "$dir/expected" <<'OUT'
0 9 * * 1-5 apscheduler: Thu 1.1, Fri 2.1, Sat 3.1, Tue 6.1, Wed 7.1
0 9 * * 1-5 croniter: Thu 1.1, Fri 2.1, Mon 5.1, Tue 6.1, Wed 7.1
0 9 * * 0 apscheduler: Mon 5.1, Mon 12.1, Mon 19.1, Mon 26.1, Mon 2.2
0 9 * * 0 croniter: Sun 4.1, Sun 11.1, Sun 18.1, Sun 25.1, Sun 1.2
0 9 * * mon-fri apscheduler: Thu 1.1, Fri 2.1, Mon 5.1, Tue 6.1, Wed 7.1
0 9 * * mon-fri croniter: Thu 1.1, Fri 2.1, Mon 5.1, Tue 6.1, Wed 7.1
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: weekdays are counted differently now"; exit 1; }
echo "as recorded"
