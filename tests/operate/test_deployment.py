"""Files of ``deploy/``: valid by the schemas of those who read them, and careful."""

from __future__ import annotations

import json
import re
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from anomaly_detection.settings import Settings
from anomaly_detection.version import __version__
from deployed import DEPLOY, program

KUBERNETES = ("1.30.0", "1.34.0")
"""Versions of Kubernetes that the manifests are for."""

MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def documents(path):
    """The documents of a YAML file."""
    return list(import_module("yaml").safe_load_all(path.read_text()))


def objects():
    """Every object of the manifests, by kind and name."""
    return {(one["kind"], one["metadata"]["name"]): one for path in MANIFESTS for one in documents(path)}


def pods():
    """Every template of a pod."""
    return {name: one["spec"]["template"]["spec"] for (kind, name), one in objects().items() if kind == "Deployment"}


@pytest.mark.needs_extra("yaml", "kubernetes_validate")
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", KUBERNETES)
def test_manifests_are_valid_to_the_last_field(path, version):
    validate = import_module("kubernetes_validate").validate
    for one in documents(path):
        validate(one, version, strict=True)


@pytest.mark.needs_extra("yaml", "kubernetes_validate")
def test_the_validator_would_notice():
    broken = objects()["Deployment", "api"]
    broken["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(import_module("kubernetes_validate").ValidationError):
        import_module("kubernetes_validate").validate(broken, KUBERNETES[-1], strict=True)


@pytest.mark.needs_extra("yaml")
def test_pods_are_locked_in():
    assert set(pods()) == {"api", "web", "worker"}
    for pod in pods().values():
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        for container in [*pod["containers"], *pod["initContainers"]]:
            locked = container["securityContext"]
            assert locked["readOnlyRootFilesystem"]
            assert not locked["allowPrivilegeEscalation"]
            assert locked["capabilities"] == {"drop": ["ALL"]}
            assert container["image"] == f"anomaly-detection:{__version__}"
            assert {"cpu", "memory"} <= set(container["resources"]["requests"])
            assert "memory" in container["resources"]["limits"]
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in pod["volumes"]}


@pytest.mark.needs_extra("yaml")
def test_objects_name_each_other():
    found = objects()
    for (kind, _), one in found.items():
        if kind in {"Service", "PodDisruptionBudget"}:
            selector = one["spec"]["selector"]
            labels = selector.get("matchLabels", selector)
            deployment = found["Deployment", labels["app.kubernetes.io/component"]]
            assert deployment["spec"]["template"]["metadata"]["labels"].items() >= labels.items()
        if kind == "HorizontalPodAutoscaler":
            scaled = found["Deployment", one["spec"]["scaleTargetRef"]["name"]]
            assert "replicas" not in scaled["spec"]
            assert "cpu" in scaled["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]
    for name in ("api", "web"):
        container = pods()[name]["containers"][0]
        assert {container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "startupProbe")} == {"/health/live"}
        assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
        grace = pods()[name]["terminationGracePeriodSeconds"]
        assert grace > Settings.model_fields["drain_seconds"].default + 5


@pytest.mark.needs_extra("yaml")
def test_settings_that_are_set_exist():
    settings = {f"anomaly_detection_{name}" for name in Settings.model_fields} | {"anomaly_detection_health_port"}
    (compose,) = documents(DEPLOY / "docker-compose.yml")
    named = [
        *objects()["ConfigMap", "anomaly-detection"]["data"],
        *objects()["Secret", "anomaly-detection"]["stringData"],
    ]
    for service in compose["services"].values():
        named += [name for name in service.get("environment", {}) if name.startswith("ANOMALY")]
        named += [Path(one["target"]).name for one in service.get("secrets", []) if isinstance(one, dict)]
    named += re.findall(r"\bANOMALY_DETECTION_\w+", (DEPLOY / "Dockerfile").read_text())
    assert {name.lower() for name in named} <= settings


@pytest.mark.needs_extra("yaml", "jsonschema", "check_jsonschema")
def test_the_compose_file_is_valid_and_careful():
    folder = Path(import_module("check_jsonschema").__file__).parent / "builtin_schemas" / "vendor"
    (compose,) = documents(DEPLOY / "docker-compose.yml")
    import_module("jsonschema").validate(compose, json.loads((folder / "compose-spec.json").read_text()))
    assert set(compose["services"]) == {"api", "web", "worker", "postgres", "redis", "prometheus"}
    for name in ("api", "web", "worker"):
        service = compose["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["image"] == f"anomaly-detection:{__version__}"
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    secrets = [name for service in compose["services"].values() for name in service.get("environment", {})]
    assert [name for name in secrets if "PASSWORD" in name] == ["POSTGRES_PASSWORD_FILE"]


def test_the_image_is_linted():
    ran = subprocess.run([program("hadolint"), DEPLOY / "Dockerfile"], check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout


def test_the_image_is_careful():
    text = (DEPLOY / "Dockerfile").read_text()
    last = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert last.index("USER") < last.index("ENTRYPOINT")
    assert "HEALTHCHECK" in last
    assert text.count("--require-hashes") == text.count("-r requirements/") == 2
    taken = set(re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE))
    allowed = {line[1:] for line in (DEPLOY.parent / ".dockerignore").read_text().split() if line.startswith("!")}
    assert {Path(name).parts[0] for line in taken for name in line.split()} <= allowed


def test_secrets_are_kept_out_of_the_repository():
    ignored = (DEPLOY.parent / ".gitignore").read_text().split()
    assert "/deploy/secrets/" in ignored
