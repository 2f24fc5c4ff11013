// Files that the app gives to whoever looks at it.

/**
 * Saves `bytes` as a download of the browser.
 * @param {Blob} bytes
 * @param {string} filename
 */
export function save(bytes, filename) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(bytes);
  link.download = filename;
  link.click();
  // The browser may still be reading.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
