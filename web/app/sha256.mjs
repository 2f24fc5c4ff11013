// SHA-256 (FIPS 180-4) of bytes that come piece by piece, which the browser's own cannot do.

/** The first 32 bits of the fractions of a root of each prime. @param {number} count @param {number} root */
function fractions(count, root) {
  const found = [];
  for (let prime = 2; found.length < count; prime += 1) {
    let divisor = 2;
    while (prime % divisor) divisor += 1;
    if (divisor === prime) found.push((prime ** (1 / root) % 1) * 2 ** 32);
  }
  return found;
}

const K = Int32Array.from(fractions(64, 3), (it) => it | 0);
const BLOCK = 64;

export class Sha256 {
  #state = Int32Array.from(fractions(8, 2), (it) => it | 0);
  #words = new Int32Array(BLOCK);
  #rest = new Uint8Array(BLOCK);
  #length = 0;

  /** @param {Uint8Array} bytes */
  add(bytes) {
    const view = new DataView(this.#rest.buffer);
    let filled = this.#length % BLOCK;
    this.#length += bytes.length;
    let at = 0;
    if (filled > 0) {
      at = Math.min(BLOCK - filled, bytes.length);
      this.#rest.set(bytes.subarray(0, at), filled);
      filled += at;
      if (filled < BLOCK) return;
      this.#block(view, 0);
    }
    const whole = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.#block(whole, at);
    this.#rest.set(bytes.subarray(at));
  }

  /** In hexadecimal digits. Nothing can be added afterwards. */
  end() {
    const bits = this.#length * 8;
    const padding = new Uint8Array(BLOCK - ((this.#length + 8) % BLOCK) + 8);
    padding[0] = 0x80;
    new DataView(padding.buffer).setBigUint64(padding.length - 8, BigInt(bits));
    this.add(padding);
    return Array.from(this.#state, (it) => (it >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** @param {DataView} view @param {number} at */
  #block(view, at) {
    const w = this.#words;
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const x = /** @type {number} */ (w[i - 15]);
      const y = /** @type {number} */ (w[i - 2]);
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = /** @type {number} */ (w[i - 16]) + s0 + /** @type {number} */ (w[i - 7]) + s1;
    }
    let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = this.#state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t0 = (h + /** @type {number} */ (K[i]) + /** @type {number} */ (w[i])) | 0;
      const t1 = (t0 + s1 + ((e & f) ^ (~e & g))) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const end = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i += 1) this.#state[i] = /** @type {number} */ (this.#state[i]) + /** @type {number} */ (end[i]);
  }
}
