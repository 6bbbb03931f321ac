"""Pushes a file of profiles with aiohttp. Usage: aiohttp_push.py FILE URL TOKEN WORKERS."""

import asyncio
import csv
import sys

import aiohttp


async def work(session, rows, url, token):
    for row in rows:
        async with session.post(url, json={"apiToken": token, **row}) as answer:
            if (await answer.json())["status"] != "success":
                raise RuntimeError(f"row {row['unique_id']} was refused")


async def main(path, url, token, workers):
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)  # one iterator, from which every worker takes its next row
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=workers)) as session:
            await asyncio.gather(*(work(session, rows, url, token) for _ in range(workers)))


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
