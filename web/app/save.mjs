// What is put among one's downloads.

/**
 * @param {Blob} blob
 * @param {string} name of the file
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser takes the bytes before it runs the next task.
  setTimeout(() => URL.revokeObjectURL(link.href));
}
