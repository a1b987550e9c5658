#!/usr/bin/env bash
# Runs the tests that depend on Keyv with its second line (Node 24, keyv 6, @keyv/sqlite 6 and @keyv/redis 6), in a copy of
# the project: stores, backends, the packed package, and the main job; before that, the tests of SQLite on Node 24 with the
# first line. With arguments: these tests instead, with the second line alone.
# Needs what `npm ci` and `npm run build` made.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Tests start this Node.js as an unprivileged user, who needs access to the folder.
chmod 755 "$work"
mkdir "$work/line6" "$work/project"
platform=$(node -p 'process.platform + "-" + process.arch')
(
  cd "$work/line6"
  echo '{ "private": true }' > package.json
  npm install --no-audit --no-fund --ignore-scripts \
    keyv@6.1.0 @keyv/sqlite@6.0.0-beta.4 @keyv/redis@6.0.0-rc.1 "node-$platform@24"
)
git ls-files -z | tar -c --null -T - | tar -x -C "$work/project"
# Copies the targets of links, so that nothing shared is changed below.
cp -RH node_modules dist "$work/project"
cd "$work/project"
cp -R "$work/line6/node_modules/node-$platform" node_modules
node="node_modules/node-$platform/bin/node"
jest() {
  "$node" --experimental-vm-modules --disable-warning=ExperimentalWarning node_modules/jest/bin/jest.js "$@"
}
if [ $# -eq 0 ]; then
  echo "Node $($node --version), keyv 5: both drivers of SQLite, and processes on two versions of Node.js"
  OTHER_NODE=$(command -v node) jest __tests__/stores/sqlite __tests__/stores/fallback __tests__/backends/sqlite \
    __tests__/repository/packaging
  # MongoDB, GridFS and DynamoDB use adapters of the first line alone.
  set -- __tests__/stores '__tests__/backends/(?!dynamodb|gridfs|mongo)' __tests__/repository/packaging \
    __tests__/setup-cache.test.ts
fi
rm -rf node_modules/keyv node_modules/@keyv/sqlite node_modules/@keyv/redis
cp -R "$work/line6/node_modules/." node_modules
echo "Node $($node --version), keyv 6"
jest "$@"
