from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ecs_hooks.plan.model import Plan
from tests.cli.conftest import Run
from tests.cli.openapi.reading import DOCUMENTS, OK, root
from tests.http.fixtures import Serve
from tests.http.servers import Peer, Script

LIBRARY, SHOP = DOCUMENTS / "library.json", DOCUMENTS / "shop.yaml"
BOOK: dict[str, Any] = {"isbn": "978-3-16-148410-0", "title": "A", "lent": None, "size": [20, 13.5], "x-shelf": 7}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECS_HOOKS_ALLOWED_HOSTS", "")  # `check` sets it; put back after the test


def written(folder: Path, value: Any) -> Path:
    file = folder / "openapi.json"
    file.write_text(json.dumps(value))
    return file


def library(book: dict[str, Any], asked: list[str]) -> Script:
    """A server that matches the document, with this book."""
    bodies: dict[str, Any] = {
        "/api/books": [book],
        "/api/books/978-3-16-148410-0": book,
        "/api/shelves;floor=2;room=a%20b?filter%5Blent%5D=false&where=%7B%22a%22%3A%5B1%5D%7D": None,
        "/api/changes": {"by": "somebody", "next": {"next": {}}},
        "/api/tree": [[[]]],
    }

    def script(peer: Peer) -> None:
        target = peer.request().split()[1].decode()
        asked.append(target)
        kind = "application/vnd.library.v1+json" if target.endswith("-0") else "application/json; charset=utf-8"
        peer.answer(json.dumps(bodies[target]).encode(), f"Content-Type: {kind}")

    return script


def play(run: Run, serve: Serve, folder: Path, book: dict[str, Any]) -> tuple[int, str, list[str]]:
    """Import the document, run the plan against a server, and return exit status, output and what was asked."""
    plan, asked = folder / "plan.json", list[str]()
    assert run("import", LIBRARY, "-o", plan).exit_code == 0
    result = run("check", plan, "--url", serve(library(book, asked)).url)
    return result.exit_code, result.output, asked


def test_a_service_that_matches_its_document(run: Run, serve: Serve, tmp_path: Path) -> None:
    status, output, asked = play(run, serve, tmp_path, BOOK)

    assert status == 0, output
    assert "SUCCEEDED post_test_traffic_shift no-service: 5 passed" in output
    assert len(asked) == 5


@pytest.mark.parametrize(
    ("change", "listed", "alone"),
    [
        ({"isbn": 978}, '$[0].isbn violates type: "string"', '$.isbn violates type: "string"'),
        ({"title": ""}, "$[0].title violates minLength: 1", "$.title violates minLength: 1"),
        ({"size": [1, 2, 3]}, "$[0].size violates items: false", "$.size violates items: false"),
        ({"colour": "s3cret"}, "$[0] violates additionalProperties: false", "$ violates additionalProperties: false"),
    ],
)
def test_a_service_that_differs_in_one_field(
    run: Run, serve: Serve, tmp_path: Path, change: dict[str, Any], listed: str, alone: str
) -> None:
    status, output, _ = play(run, serve, tmp_path, {**BOOK, **change})

    assert status == 1
    assert 'http "listBooks" GET http://127.0.0.1' in output
    assert f"jsonpath $ is an array with 1 item, expected to be valid against the schema, but {listed}" in output
    assert f"expected to be valid against the schema, but {alone}" in output
    assert "3 passed, 2 failed" in output
    assert "s3cret" not in output


def test_the_plan_is_on_standard_output_and_the_rest_on_standard_error(run: Run) -> None:
    result = run("import", SHOP)

    assert result.exit_code == 0
    assert len(Plan.parse(json.loads(result.stdout)).checks) == 6
    assert result.stderr.splitlines() == [
        "skipped: GET /categories/{id}: the path parameter id is required and has no example, default or enum",
        "skipped: GET /orders/{id}: requires credentials (bearer); --include-secured imports it without any",
        "skipped: GET /uploads: another server serves it (uploads.example.com)",
        "skipped: GET /gone: no successful response is documented",
        "note: GET /categories: the body is not compared, since status 204 has none",
        "6 imported, 4 skipped, 2 neither GET nor HEAD",
    ]


def test_options(run: Run) -> None:
    options = ("--tag", "catalogue", "--tag", "orders", "--include-secured", "--base-path", "/x", "--no-schemas")
    result = run("import", SHOP, *options)
    checks = json.loads(result.stdout)["checks"]

    assert [each["path"] for each in checks] == [
        "/x/products",
        "/x/products/AB-12%2F3",
        "/x/categories",
        "/x/orders/4711",
    ]
    assert "json_schema" not in result.stdout
    wrong = run("import", SHOP, "--base-path", "x")
    assert wrong.exit_code == 2
    assert "must begin with /" in wrong.output


def test_an_invalid_document_is_exit_status_1(run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, root(paths={f"/{number}": {"get": {}} for number in range(25)}))
    result = run("import", file, "-o", tmp_path / "plan.json")

    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == f"{file}: paths./0.get: 'responses' is a required property"
    assert len(lines) == 21
    assert lines[-1] == f"{file}: and 5 more"
    assert not (tmp_path / "plan.json").exists()


def test_without_checks_there_is_no_plan(run: Run, tmp_path: Path) -> None:
    result = run("import", SHOP, "--tag", "none", "-o", tmp_path / "plan.json")

    assert result.exit_code == 1
    assert result.stderr.endswith(f"{SHOP}: there is nothing to import\n")
    assert not (tmp_path / "plan.json").exists()


def test_a_plan_has_at_most_200_checks(run: Run, tmp_path: Path) -> None:
    many = {f"/{number}": {"get": {"responses": OK, "tags": ["a"] if number else []}} for number in range(201)}
    file = written(tmp_path, root(paths=many))

    result = run("import", file)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "a plan has at most 200 checks; choose some operations with --tag" in result.stderr
    assert run("import", file, "--tag", "a").exit_code == 0


def test_a_large_plan_gives_a_warning(run: Run, tmp_path: Path) -> None:
    schema = {"type": "string", "enum": ["x" * 40_000]}
    content = {"application/json": {"schema": schema}}
    paths = {"/a": {"get": {"responses": {"200": {"description": "a", "content": content}}}}}
    file = written(tmp_path, root(paths=paths))

    result = run("import", file)
    assert result.exit_code == 0
    assert "warning: the plan has 39 KiB, and AWS does not document the maximum size of hookDetails" in result.stderr
    assert "warning" not in run("import", file, "--no-schemas").stderr


def enum_of(size: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "string", "enum": ["x" * size]}}}
    return root(paths={"/a": {"get": {"responses": {"200": {"description": "a", "content": content}}}}})


def test_the_size_is_that_of_the_written_file(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "plan.json"
    result = run("import", written(tmp_path, enum_of(200_000)), "-o", output)
    assert result.exit_code == 0
    assert f"has {output.stat().st_size / 1024:.0f} KiB" in result.stderr
    assert "an object in S3 may have 262,144 bytes, a parameter of Systems Manager 4,096" in result.stderr
    assert run("validate", output).exit_code == 0


def test_a_plan_that_no_place_can_store_is_not_written(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "plan.json"
    result = run("import", written(tmp_path, enum_of(262_000)), "-o", output)
    assert result.exit_code == 1
    assert "bytes; a stored plan has at most 262,144; choose some operations with --tag" in result.stderr
    assert not output.exists()


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "integer", "default": "100"}, "schema.default: '100' is not of type 'integer'"),
        (
            {"type": "string", "format": "date", "default": "2025-10-15T13:50"},
            "schema.default: '2025-10-15T13:50' is not a",
        ),
        ({"type": "boolean", "default": "false"}, "schema.default: 'false' is not of type 'boolean'"),
        (
            {"type": "array", "items": {"type": "string", "default": 1}},
            "schema.items.default: 1 is not of type 'string'",
        ),
    ],
)
def test_an_operation_with_a_mistake_is_skipped_with_its_place(
    run: Run, tmp_path: Path, version: str, schema: dict[str, Any], place: str
) -> None:
    parameter = {"name": "n", "in": "query", "schema": schema}
    shared = {"components": {"parameters": {"N": parameter}, "schemas": {"S": schema}}}
    paths: dict[str, Any] = {
        "/inline": {"get": {"parameters": [parameter], "responses": OK}},
        "/path": {"parameters": [parameter], "get": {"responses": OK}},
        "/parameter": {"get": {"parameters": [{"$ref": "#/components/parameters/N"}], "responses": OK}},
        "/schema": {
            "get": {"parameters": [{**parameter, "schema": {"$ref": "#/components/schemas/S"}}], "responses": OK}
        },
        "/ok": {"get": {"responses": OK}},
    }
    result = run("import", written(tmp_path, root(version, paths, **shared)))
    assert result.exit_code == 0
    assert [each["path"] for each in json.loads(result.stdout)["checks"]] == ["/ok"]
    for name, where in (
        ("/inline", "paths./inline.get.parameters[0]"),
        ("/path", "paths./path.parameters[0]"),
        ("/parameter", "components.parameters.N"),
    ):
        assert f"skipped: GET {name}: {where}.{place}" in result.stderr
    assert f"skipped: GET /schema: components.schemas.S{place.removeprefix('schema')}" in result.stderr


@pytest.mark.parametrize(
    ("path", "operation", "place"),
    [
        ("/bad/{id}", {}, "Path parameter 'id' for 'get' operation in '/bad/{id}' was not resolved"),
        (
            "/bad",
            {"parameters": [{"name": "n", "in": "query", "schema": {"type": "string", "enum": ["a", "a"]}}]},
            "paths./bad.get.parameters[0].schema.enum: ['a', 'a'] has non-unique elements",
        ),
        (
            "/bad",
            {"requestBody": {"required": True, "content": {"a/b": {}}}},
            "requires a body, which the check does not send",
        ),
    ],
)
def test_an_operation_that_cannot_be_requested_is_skipped(
    run: Run, tmp_path: Path, path: str, operation: dict[str, Any], place: str
) -> None:
    paths = {path: {"get": {**operation, "responses": OK}}, "/ok": {"get": {"responses": OK}}}
    result = run("import", written(tmp_path, root(paths=paths)))
    assert [each["path"] for each in json.loads(result.stdout)["checks"]] == ["/ok"]
    assert f"skipped: GET {path}: {place}" in result.stderr


def test_other_mistakes_are_of_the_whole_document(run: Run, tmp_path: Path) -> None:
    paths = {"/bad": {"get": {"responses": {}}}, "/ok": {"get": {"responses": OK}}}
    assert run("import", written(tmp_path, root(paths=paths))).exit_code == 1
