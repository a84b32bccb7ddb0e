"""The phases of an attempt, in their order.

```text
claim ─► code ─► environment ─► start ─► stream ─► collect ─► finish ─► remove
           │          │           │      sample      cells      ▲
           └──────────┴───────────┴── cancelled, or impossible ─┘
```
Each phase may be repeated: a process that takes over after a crash walks the same way from its beginning, and finds
done what was done.
"""
