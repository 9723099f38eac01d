#!/usr/bin/env bash
# One would guess that serverless-express hands two Cookie headers of a REST API's event on as one header
# joined by "; ", which is what HTTP asks for and Node.js's own server does: browsers may split the cookies
# over several headers in HTTP/2.
# It joins them with a comma, as it joins every repeated header. A cookie parser then finds a single cookie,
# whose value holds the others. The cookies of an HTTP API's event, a list of their own, are joined rightly.
# Seen on 2026-11-28 with @codegenie/serverless-express 4.17.1 and cookie 1.1.1 on Node.js 20.
# For an adapter: Cookie is the one request header that does not take a comma.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --silent --no-audit --no-fund --prefix "$dir" @codegenie/serverless-express@4.17.1 cookie@1.1.1

cat > "$dir/probe.js" <<'JS'
const http = require("http");
const net = require("net");
const adapt = require("@codegenie/serverless-express");
const cookie = require("cookie");

const parse = (header) => JSON.stringify(cookie.parseCookie ? cookie.parseCookie(header) : cookie.parse(header));
const app = (request, response) => response.end(`${request.headers.cookie} -> ${parse(request.headers.cookie)}`);
const rest = {
  resource: "/", path: "/", httpMethod: "GET", headers: { Cookie: "theme=dark" },
  multiValueHeaders: { Host: ["shop.test"], Cookie: ["session=1", "theme=dark"] },
  requestContext: { resourcePath: "/", httpMethod: "GET", stage: "prod", identity: {} }, body: null,
};
const api = {
  version: "2.0", rawPath: "/", rawQueryString: "", headers: { host: "shop.test" }, cookies: ["session=1", "theme=dark"],
  requestContext: { http: { method: "GET", path: "/", sourceIp: "192.0.2.1" }, stage: "$default" },
};

async function main() {
  const handler = adapt({ app });
  for (const [name, event] of [["rest", rest], ["api", api]]) {
    console.log(name, (await handler(event, {})).body);
  }
  const server = http.createServer(app).listen(0, "127.0.0.1", () => {
    const socket = net.connect(server.address().port, "127.0.0.1");
    let reply = "";
    socket.on("data", (data) => { reply += data; });
    socket.on("end", () => { console.log("node", reply.split("\r\n\r\n")[1]); server.close(); });
    socket.write("GET / HTTP/1.0\r\nHost: shop.test\r\nCookie: session=1\r\nCookie: theme=dark\r\n\r\n");
  });
}
main();
JS
cat > "$dir/expected" <<'OUT'
rest session=1,theme=dark -> {"session":"1,theme=dark"}
api session=1; theme=dark -> {"session":"1","theme":"dark"}
node session=1; theme=dark -> {"session":"1","theme":"dark"}
OUT
(cd "$dir" && node probe.js) > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the adapter joins cookies differently now"; exit 1; }
echo "as recorded"
