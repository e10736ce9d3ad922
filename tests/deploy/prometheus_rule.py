"""The rules of deploy/watch as Prometheus' operator takes them, so that they are written once.

`python -m tests.deploy.prometheus_rule` writes deploy/kubernetes/monitoring/rules.yaml; a test says when it is stale.
"""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "watch" / "onhook.rules.yml"
RESOURCE = ROOT / "deploy" / "kubernetes" / "monitoring" / "rules.yaml"
HEAD = """\
# Made of deploy/watch/onhook.rules.yml by `python -m tests.deploy.prometheus_rule`. Change it there.
"""


def prometheus_rule() -> str:
    """Return the rules as a PrometheusRule."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    made = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "onhook", "labels": {"app.kubernetes.io/name": "onhook"}},
        "spec": {"groups": groups},
    }
    return HEAD + yaml.safe_dump(made, sort_keys=False, width=1_000_000, allow_unicode=True)


if __name__ == "__main__":
    RESOURCE.write_text(prometheus_rule(), encoding="utf-8")
