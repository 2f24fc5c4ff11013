// The local server over HTTP/2 and TLS, as a gateway of AWS speaks to browsers. Over HTTP/1.1, Chromium
// would ask for six files at a time.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createHash, X509Certificate } from "node:crypto";
import { request } from "node:http";
import { createSecureServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Forwards to the server at `api`, until this process ends. Gives its address, and the digest of its
 * public key, which Chromium has to be told: it keeps no file of a server whose certificate is wrong.
 */
export async function overHttp2(api) {
  const { key, cert } = certificate();
  const server = createSecureServer({ key, cert }, (asked, answer) => {
    const headers = Object.fromEntries(Object.entries(asked.headers).filter(([name]) => !name.startsWith(":")));
    // The server compares this with its own address.
    if (headers.origin) headers.origin = new URL(api).origin;
    const forwarded = request(api + asked.url, { method: asked.method, headers }, (got) => {
      const { connection, "keep-alive": alive, "transfer-encoding": encoding, ...kept } = got.headers;
      answer.writeHead(got.statusCode, kept);
      got.pipe(answer);
    });
    asked.pipe(forwarded);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const publicKey = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return {
    address: `https://127.0.0.1:${server.address().port}`,
    key: createHash("sha256").update(publicKey).digest("base64"),
  };
}

function certificate() {
  const folder = mkdtempSync(join(tmpdir(), "http2-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  execFileSync("openssl", [...made, "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", cert], { stdio: "ignore" });
  const read = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return read;
}
