/**
 * A matrix as a NumPy file, version 1.0: `np.load('embeddings.npy')` gives float32 [rows, columns].
 * Format: numpy.lib.format; the header is padded so that the data begins at a multiple of 64.
 */
export function npy(data: Float32Array, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  if (data.length !== rows * columns) {
    throw new RangeError(`${data.length} numbers are no matrix of ${rows} × ${columns}.`);
  }
  const facts = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const start = Math.ceil((10 + facts.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(`\x00NUMPY\x01\x00\0\0${facts.padEnd(start - 11)}\n`));
  view.setUint8(0, 0x93);
  view.setUint16(8, start - 10, true);
  for (const [i, value] of data.entries()) view.setFloat32(start + 4 * i, value, true);
  return bytes;
}
