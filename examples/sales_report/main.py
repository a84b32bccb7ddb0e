"""Fetches sales over HTTP and reports them by region."""

import os

import pandas as pd
import requests
from shop import open_shop

rows = int(os.environ.get("ROWS", "1000"))
with open_shop() as url:
    response = requests.get(f"{url}/sales", params={"rows": rows}, timeout=10)
response.raise_for_status()

sales = pd.DataFrame(response.json())
report = sales.groupby("region")["amount"].agg(["count", "sum", "mean"]).round(2)
print(f"{len(sales)} sales from {url}")
print(report.sort_values("sum", ascending=False).to_string())
print(f"best region: {report['sum'].idxmax()}")
