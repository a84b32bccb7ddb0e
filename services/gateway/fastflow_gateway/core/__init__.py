"""The gateway's own thinking: shapes of requests and answers, rules and folds; pure."""
