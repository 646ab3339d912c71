"""Brings the benchmark's CSV into a SQLite database that `evalgraph migrate` has made.

  python3 load_sqlite.py CSV_DIRECTORY DATABASE

How the server keeps values is in docs/decisions.md: ids as 16 bytes, times as microseconds since 1970, booleans as numbers.
"""

import csv
import datetime
import pathlib
import sys
import uuid

# Python's own is too old for the index of the search.
from pysqlite3 import dbapi2 as sqlite3

TABLES = ["prompts", "evaluations", "test_results"]
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def microseconds(text):
    return (datetime.datetime.fromisoformat(text) - EPOCH) // datetime.timedelta(microseconds=1)


def conversion(column, declared):
    """From the CSV's text to what SQLite keeps. An empty field is null."""
    if declared == "BLOB":
        convert = lambda text: uuid.UUID(text).bytes
    elif column.endswith("_at"):
        convert = microseconds
    elif declared == "INTEGER":
        convert = lambda text: {"t": 1, "true": 1, "f": 0, "false": 0}.get(text) if text.isalpha() else int(text)
    elif declared == "REAL":
        convert = float
    else:
        convert = str
    return lambda text: convert(text) if text else None


def load(database, table, path):
    declared = {name: kind for _, name, kind, *_ in database.execute(f"PRAGMA table_info({table})")}
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        columns = next(rows)
        conversions = [conversion(column, declared[column]) for column in columns]
        places = ", ".join("?" for _ in columns)
        insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"
        converted = ([convert(text) for convert, text in zip(conversions, row)] for row in rows)
        return database.executemany(insert, converted).rowcount


def main():
    directory, path = pathlib.Path(sys.argv[1]), sys.argv[2]
    csv.field_size_limit(2**31 - 1)
    database = sqlite3.connect(path)
    # Rows refer to rows further down.
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute("PRAGMA synchronous = OFF")
    with database:
        for table in TABLES:
            print(f"{table}: {load(database, table, directory / f'{table}.csv')} rows")
    broken = database.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        sys.exit(f"{len(broken)} rows refer to rows that do not exist")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


if __name__ == "__main__":
    main()
