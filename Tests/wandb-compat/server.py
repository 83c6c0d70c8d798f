"""A stand-in for W&B on the loopback interface, which keeps what it is sent.

usage: server.py PORTFILE      (writes the port that it has got; GET /_state gives everything as JSON)
"""
import base64
import hashlib
import json
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

lock = threading.Lock()
runs = {}
artifacts = {}
storage = {}
alerts = []
used = []
refused = []
ENTITY = "testuser"


def fresh_run(name):
    return {"name": name, "displayName": f"gentle-ember-{len(runs) + 1}", "project": "", "config": {}, "upserts": [],
            "lines": {}, "uploaded": [], "complete": False, "exitcode": None, "tags": [], "notes": None, "files": {},
            "agents": []}


def lines(run, name):
    kept = run["lines"].get(name, {})
    return [kept.get(i, "") for i in range(max(kept) + 1)] if kept else []


def upsert(v):
    run = runs.get(v["name"])
    inserted = run is None
    if inserted:
        run = runs[v["name"]] = fresh_run(v["name"])
    run["upserts"].append({k: x for k, x in v.items() if x is not None and k != "config"})
    for key in ("displayName", "notes", "tags", "groupName", "jobType", "host", "program", "commit", "repo", "sweep", "project"):
        if v.get(key) is not None:
            run[key] = v[key]
    if v.get("config"):
        run["config"] = json.loads(v["config"])
    return {"upsertBucket": {"inserted": inserted, "bucket": {
        "id": "id-" + run["name"], "name": run["name"], "displayName": run["displayName"], "description": None,
        "config": json.dumps(run["config"]), "sweepName": run.get("sweep"),
        "project": {"id": "p1", "name": run["project"], "entity": {"id": "e1", "name": ENTITY}},
        "historyLineCount": len(lines(run, "wandb-history.jsonl"))}}}


def resume_status(v):
    run = runs.get(v["name"])
    if run is None:
        return {"model": {"id": "m1", "name": v["project"], "entity": {"id": "e1", "name": ENTITY}, "bucket": None}}
    history, events = lines(run, "wandb-history.jsonl"), lines(run, "wandb-events.jsonl")
    block = run["config"].get("_wandb", {}).get("value", {})
    return {"model": {"id": "m1", "name": run["project"], "entity": {"id": "e1", "name": ENTITY}, "bucket": {
        "id": "id-" + run["name"], "name": run["name"], "displayName": run["displayName"],
        "summaryMetrics": (lines(run, "wandb-summary.json") or ["{}"])[-1],
        "logLineCount": len(lines(run, "output.log")), "historyLineCount": len(history), "eventsLineCount": len(events),
        "historyTail": json.dumps(history[-1:]), "eventsTail": json.dumps(events[-1:]),
        "config": json.dumps(run["config"]), "tags": run["tags"], "notes": run["notes"],
        "wandbConfig": json.dumps({"t": block["t"]} if "t" in block else {})}}}


def create_artifact(v):
    given = v["input"]
    name = given["artifactCollectionName"]
    versions = [a for a in artifacts.values() if a["name"] == name]
    latest = max(versions, key=lambda a: a["version"], default=None)
    same = next((a for a in versions if a["digest"] == given["digest"]), None)
    if same is None:
        same = {"id": base64.b64encode(f"Artifact:{len(artifacts) + 1}".encode()).decode(), "name": name,
                "type": given["artifactTypeName"], "digest": given["digest"], "version": len(versions),
                "state": "PENDING", "aliases": [], "metadata": given.get("metadata"), "run": given.get("runName"),
                "description": given.get("description"), "files": {}, "clientID": given.get("clientID"),
                "sequenceClientID": given.get("sequenceClientID")}
        artifacts[same["id"]] = same
    same["aliases"] += [a["alias"] for a in given.get("aliases") or [] if a["alias"] not in same["aliases"]]
    return {"createArtifact": {"artifact": {"id": same["id"], "state": same["state"], "artifactSequence": {
        "latestArtifact": {"id": latest["id"]} if latest else None}}}}


def artifact_node(a):
    collection = {"__typename": "ArtifactSequence", "name": a["name"], "project": {
        "id": "p1", "internalId": "p1", "name": "demo", "entity": {"name": ENTITY}}}
    return {"__typename": "Artifact", "id": a["id"], "artifactSequence": collection, "versionIndex": a["version"],
            "artifactType": {"name": a["type"]}, "description": a["description"], "metadata": a["metadata"] or "{}",
            "ttlDurationSeconds": -1, "ttlIsInherited": True, "tags": [], "historyStep": 0, "state": a["state"],
            "size": sum(len(storage.get(s, b"")) for s in a["files"].values()), "digest": a["digest"], "commitHash": "c",
            "fileCount": len(a["files"]), "createdAt": "2026-01-01T00:00:00Z", "updatedAt": None,
            "aliases": [{"__typename": "ArtifactAlias", "id": x, "alias": x, "artifactCollection": collection}
                        for x in a["aliases"]]}


def member(name):
    collection, _, alias = name.partition(":")
    alias = alias or "latest"
    for a in sorted(artifacts.values(), key=lambda a: -a["version"]):
        if a["name"] == collection and (alias in a["aliases"] or alias == f"v{a['version']}"):
            return a


def put_address(name):
    return f"http://127.0.0.1:{server.server_port}/storage/{urllib.parse.quote(name, safe='')}"


def create_files(v):
    run = runs[v["run"]]
    for name in v["files"]:
        run["files"][name] = f"run/{v['run']}/{name}"
    return {"createRunFiles": {"runID": "id-" + v["run"], "uploadHeaders": ["X-Signed:1"], "files": [
        {"name": name, "uploadUrl": put_address(f"run/{v['run']}/{name}")} for name in v["files"]]}}


def artifact_files(v):
    edges = []
    for spec in v["input"]["artifactFiles"]:
        a = artifacts[spec["artifactID"]]
        place = f"artifact/{a['id']}/{spec['name']}"
        a["files"][spec["name"]] = place
        edges.append({"node": {"storagePath": place, "uploadUrl": put_address(place), "uploadMultipartUrls": None,
                               "uploadHeaders": ["Content-MD5:" + spec["md5"]], "artifact": {"id": a["id"]}}})
    return {"createArtifactFiles": {"files": {"edges": edges}}}


def manifest(v):
    a = artifacts[v["artifactID"]]
    place = f"manifest/{a['id']}"
    file = {"id": "f1"}
    if v.get("includeUpload"):
        a["manifest"] = place
        file.update(uploadUrl=put_address(place), uploadHeaders=["Content-Type:application/json"])
    return {"createArtifactManifest": {"artifactManifest": {"id": "M" + a["id"], "file": file}}}


def commit(v):
    a = artifacts[v["artifactID"]]
    a["state"] = "COMMITTED"
    return {"commitArtifact": {"artifact": {"id": a["id"], "digest": a["digest"]}}}


def find(v):
    a = member(v["name"])
    if a is None:
        return {"project": {"artifactCollectionMembership": None}}
    node = artifact_node(a)
    return {"project": {"artifactCollectionMembership": {
        "__typename": "ArtifactCollectionMembership", "id": "mb1", "versionIndex": a["version"], "createdAt": "2026-01-01T00:00:00Z",
        "aliases": node["aliases"], "artifactCollection": node["artifactSequence"], "artifact": node}}}


def urls(v):
    a = member(f"{v['collection']}:{v['alias']}")
    edges = [{"node": {"__typename": "File", "name": name, "directUrl": put_address(place)}} for name, place in a["files"].items()]
    return {"project": {"artifactCollection": {"__typename": "ArtifactSequence", "artifactMembership": {
        "files": {"pageInfo": {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}, "edges": edges}}}}}


def use(v):
    used.append({"run": v["runName"], "artifact": artifacts[v["artifactID"]]["name"]})
    return {"useArtifact": {"artifact": {"id": v["artifactID"], "digest": "", "description": "", "state": "COMMITTED",
                                         "createdAt": "2026-01-01T00:00:00Z", "metadata": "{}"}}}


def alert(v):
    alerts.append(v)
    return {"notifyScriptableRunAlert": {"success": True}}


answers = {
    "Viewer": lambda v: {"viewer": {"id": "u1", "entity": ENTITY, "username": ENTITY, "email": "t@example.com", "flags": "{}",
                                    "teams": {"edges": []}}},
    "ServerFeaturesQuery": lambda v: {"serverInfo": {"features": [{"name": "STRUCTURED_CONSOLE_LOGS", "isEnabled": True}]}},
    "OrganizationCoreWeaveOrganizationID": lambda v: {"entity": {"organization": {"coreWeaveOrganizationId": None}}},
    "UpsertBucket": upsert, "RunResumeStatus": resume_status, "CreateRunFiles": create_files,
    "ArtifactType": lambda v: {"project": {"artifact": None}},
    "CreateArtifact": create_artifact, "CreateArtifactFiles": artifact_files, "CreateArtifactManifest": manifest,
    "CommitArtifact": commit, "UseArtifact": use, "NotifyScriptableRunAlert": alert,
    "ArtifactMembershipByName": find, "ArtifactByID": lambda v: {"artifact": artifact_node(artifacts[v["id"]])},
    "FetchArtifactManifest": lambda v: {"artifact": {"currentManifest": {"__typename": "ArtifactManifest", "file": {
        "directUrl": put_address(artifacts[v["id"]]["manifest"])}}}},
    "GetArtifactMembershipFileUrls": urls,
}


def stream(name, body):
    run = runs[name]
    for file, chunk in (body.get("files") or {}).items():
        kept = run["lines"].setdefault(file, {})
        for i, line in enumerate(chunk["content"]):
            kept[chunk["offset"] + i] = line
    run["uploaded"] += body.get("uploaded") or []
    if body.get("complete"):
        run["complete"], run["exitcode"] = True, body.get("exitcode")
    return {"exitcode": None, "limits": {}}


def described(data):
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = None
    return {"size": len(data), "md5": hashlib.md5(data).hexdigest(), "text": text}


def state():
    return {"runs": {name: dict(run, lines={f: lines(run, f) for f in run["lines"]}, files={
                f: described(storage[s]) for f, s in run["files"].items() if s in storage}) for name, run in runs.items()},
            "artifacts": [dict(a, files={f: described(storage.get(s, b"")) for f, s in a["files"].items()},
                               manifest=json.loads(storage.get(a.get("manifest"), b"null"))) for a in artifacts.values()],
            "alerts": alerts, "used": used, "refused": refused}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, value, status=200):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        with lock:
            if self.path == "/_state":
                return self.reply(state())
            place = urllib.parse.unquote(self.path.removeprefix("/storage/"))
            return self.reply(storage[place]) if place in storage else self.reply({"error": "no such object"}, 404)

    def do_PUT(self):
        data = self.body()
        with lock:
            if self.headers.get("Authorization"):
                refused.append("a key was sent to a signed address")
                return self.reply({"error": "no key here"}, 400)
            storage[urllib.parse.unquote(self.path.removeprefix("/storage/"))] = data
            self.reply(b"")

    def do_POST(self):
        body = json.loads(self.body() or b"{}")
        with lock:
            if not (self.headers.get("Authorization") or "").startswith("Basic "):
                return self.reply({"errors": [{"message": "user is not logged in"}]}, 401)
            place = re.fullmatch(r"/files/([^/]+)/([^/]+)/([^/]+)/file_stream", self.path)
            if place:
                return self.reply(stream(urllib.parse.unquote(place[3]), body))
            operation = body.get("operationName") or (re.search(r"(?:query|mutation)\s+(\w+)", body.get("query", "")) or [None, ""])[1]
            if operation not in answers:
                refused.append(operation)
                return self.reply({"errors": [{"message": f"Cannot query field of {operation}"}]}, 400)
            self.reply({"data": answers[operation](body.get("variables") or {})})


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
