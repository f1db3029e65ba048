import { type FlateError, Unzip, UnzipInflate } from 'fflate';
import { turns } from '../../src/turns';

/** Bytes that are unpacked at a time: they become up to a thousand times as many. */
const PIECE = 16_384;
/** How zip files begin, and OLE files: Office's format until 2003, and what a password makes of a newer file. */
const ZIP = [0x50, 0x4b];
const OLE = [0xd0, 0xcf, 0x11, 0xe0];

const beginsWith = (bytes: Uint8Array, start: number[]) => start.every((byte, i) => bytes[i] === byte);
/** Whether an OLE file has a stream of this name, which stands in it as UTF-16. */
const hasStream = (bytes: Uint8Array, stream: string) =>
  new TextDecoder('latin1').decode(bytes).includes([...stream].join('\0'));

export const lockedFile = (name: string): Error =>
  new Error(`${name} is locked with a password. Save a copy without one and give that.`);
export const damagedFile = (name: string, cause?: unknown): Error =>
  new Error(`${name} is damaged or not what its name says. Open it in the program that wrote it and save it again.`, {
    cause,
  });

/**
 * The parts of a zip file that `wanted` says, by name. `most`: bytes that they may have together, counted while they are unpacked, whatever the file
 * says of their sizes. Throws an Error in words for a file that is damaged, locked, of an older format or holds more, and the reason of `signal`.
 */
export async function unzip(
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  wanted: (part: string) => boolean,
  { most, signal }: { most: number; signal?: AbortSignal },
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  if (beginsWith(bytes, OLE)) {
    if (hasStream(bytes, 'EncryptedPackage')) throw lockedFile(name);
    throw new Error(`${name} is in the format that Office used until 2003. Open it there and save it in the new one.`);
  }
  if (!beginsWith(bytes, ZIP)) throw damagedFile(name);

  const parts = new Map<string, BlobPart[]>();
  const unfinished = new Set<string>();
  let total = 0;
  const reader = new Unzip((file) => {
    if (!wanted(file.name)) return;
    const pieces: BlobPart[] = [];
    parts.set(file.name, pieces);
    unfinished.add(file.name);
    file.ondata = (error, data, isLast) => {
      if (error) throw error;
      total += data.length;
      if (total > most) {
        throw new RangeError(`${name} holds more than ${most / 1e6} MB of text and structure, the most that is read.`);
      }
      pieces.push(data as Uint8Array<ArrayBuffer>);
      if (isLast) unfinished.delete(file.name);
    };
    file.start();
  });
  reader.register(UnzipInflate);

  const pause = turns(signal);
  for (let at = 0; at < bytes.length; at += PIECE) {
    await pause();
    try {
      reader.push(bytes.subarray(at, at + PIECE), at + PIECE >= bytes.length);
    } catch (error) {
      throw (error as Partial<FlateError>).code === undefined ? error : damagedFile(name, error);
    }
  }
  if (unfinished.size > 0) throw damagedFile(name);
  const whole = [...parts].map(async ([part, pieces]) => {
    return [part, new Uint8Array(await new Blob(pieces).arrayBuffer())] as const;
  });
  return new Map(await Promise.all(whole));
}
