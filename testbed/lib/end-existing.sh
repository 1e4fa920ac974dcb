# Removes what a run on an engine that was there before has left on it: the registry, and the builders in the run's store.
set -euo pipefail

. "$testbed/lib/common.sh"

trap '' INT TERM HUP
engine_request "$DOCKER_HOST" DELETE "/containers/$registry_container?force=1&v=1" >/dev/null || true
nodes=$(node -e '
  const fs = require("fs"), dir = process.argv[1] + "/instances";
  for (const file of fs.existsSync(dir) ? fs.readdirSync(dir) : [])
    for (const node of JSON.parse(fs.readFileSync(`${dir}/${file}`, "utf8")).Nodes ?? []) console.log(node.Name);
' "$BUILDX_CONFIG") || true
for node in $nodes; do
  engine_request "$DOCKER_HOST" DELETE "/containers/buildx_buildkit_$node?force=1" >/dev/null 2>&1 || true
  engine_request "$DOCKER_HOST" DELETE "/volumes/buildx_buildkit_${node}_state" >/dev/null 2>&1 || true
done
rm -rf "$run_data"
