"""Starts Arize Phoenix and evalgraph, and checks that Phoenix tells the tree of a nested query as it was: see ../test-phoenix."""

import contextlib
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

QUERY = """query NestedExample {
  prompts(first: 3) { nodes { title evaluations(first: 2) { nodes { model testResults(first: 2) { nodes { testCaseName } } } } } }
}"""

# From the request down to a statement, at each level of the query.
PATHS = [
    [
        "POST /graphql",
        "query",
        "GraphQL Operation Execution",
        coordinate,
        f"GraphQL DataLoader Batch {loader}",
        statement,
    ]
    for coordinate, loader, statement in [
        ("Query.prompts", "prompts", "SELECT prompts"),
        ("Prompt.evaluations", "evaluationsByPrompt", "SELECT evaluations"),
        ("Evaluation.testResults", "testResultsByEvaluation", "SELECT test_results"),
    ]
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def eventually(what, condition, limit=60):
    end = time.monotonic() + limit
    while not (result := condition()):
        if time.monotonic() > end:
            sys.exit(f"not within {limit} s: {what}")
        time.sleep(0.3)
    return result


@contextlib.contextmanager
def process(arguments, variables, log):
    """A process that ends with the block."""
    with open(log, "wb") as output:
        running = subprocess.Popen(arguments, env={**os.environ, **variables}, stdout=output, stderr=output)
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()


def answers(url):
    def condition():
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except OSError:
            return False

    return condition


def spans_of(phoenix, trace_id):
    """The spans that Phoenix has of a trace, by their ids."""
    try:
        found = ask(f"{phoenix}/v1/projects/default/spans?limit=1000&trace_id={trace_id}")["data"]
    except OSError:
        return {}
    return {span["context"]["span_id"]: span for span in found if span["context"]["trace_id"] == trace_id}


def missing_below(spans, path):
    """The first name on a path that no span has below the one before; nothing when all are there."""
    parents = None
    for name in path:
        below = {key for key, span in spans.items() if span["name"] == name}
        if parents is not None:
            below = {key for key in below if spans[key]["parent_id"] in parents}
        if not below:
            return name
        parents = below
    return None


def check(phoenix, protocol, endpoint, directory):
    port = free_port()
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "EVALGRAPH_DATA_DIR": str(directory / "data"),
    }
    trace_id = secrets.token_hex(16)
    command = [os.environ["EVALGRAPH_BIN"], "serve", "--demo", "--port", str(port)]
    with process(command, variables, directory / "evalgraph.log"):
        server = f"http://127.0.0.1:{port}"
        eventually("evalgraph serves", answers(f"{server}/health/ready"), 120)
        headers = {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
        answer = ask(f"{server}/graphql", {"query": QUERY}, headers)
        assert "errors" not in answer, answer

        def is_whole():
            spans = spans_of(phoenix, trace_id)
            return not any(missing_below(spans, path) for path in PATHS)

        eventually(f"Phoenix tells the tree that was sent over {protocol}", is_whole)
    spans = spans_of(phoenix, trace_id)
    print(f"{protocol}: {len(spans)} spans")
    return trace_id, spans


def show(spans, parent, depth=0):
    below = [span for span in spans.values() if (span["parent_id"] if span["parent_id"] in spans else None) == parent]
    for span in sorted(below, key=lambda span: span["start_time"]):
        print("  " * depth + span["name"])
        show(spans, span["context"]["span_id"], depth + 1)


def take_screenshot(phoenix, trace_id, file):
    from selenium import webdriver
    from selenium.webdriver.common.by import By

    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--window-size=1600,1000", "--force-device-scale-factor=1"]:
        options.add_argument(argument)
    browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        browser.get(f"{phoenix}/redirects/traces/{trace_id}")
        statements = lambda: browser.find_elements(By.XPATH, "//*[text()='SELECT prompts']")
        eventually("the page shows the trace", statements)[0].click()
        time.sleep(4)
        browser.save_screenshot(file)
    finally:
        browser.quit()
    print(f"screenshot: {file}")


def main():
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        port, grpc_port = free_port(), free_port()
        variables = {
            "PHOENIX_WORKING_DIR": str(directory / "phoenix"),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(port),
            "PHOENIX_GRPC_PORT": str(grpc_port),
            "PHOENIX_TELEMETRY_ENABLED": "false",
        }
        command = [str(pathlib.Path(sys.executable).parent / "phoenix"), "serve"]
        with process(command, variables, directory / "phoenix.log"):
            phoenix = f"http://127.0.0.1:{port}"
            eventually("Phoenix serves", answers(f"{phoenix}/healthz"), 180)
            check(phoenix, "grpc", f"http://127.0.0.1:{grpc_port}", directory)
            trace_id, spans = check(phoenix, "http/protobuf", phoenix, directory)
            show(spans, None)
            if len(sys.argv) > 1:
                take_screenshot(phoenix, trace_id, sys.argv[1])
    print("Phoenix has the traces as they were sent")


if __name__ == "__main__":
    main()
