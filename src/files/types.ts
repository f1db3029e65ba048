/** The files of one checkpoint, wherever they are. */
export interface ModelFiles {
  /** What to call the place in messages: a URL, a folder, "the given files". */
  readonly where: string;
  /** Opens a file; undefined if there is none of that name. `name` is relative, with '/'. */
  open(name: string, signal?: AbortSignal): Promise<ModelFile | undefined>;
  /** What was found in the place of a file that `open` did not give, where there is more to say than that it is not there. */
  whyMissing?(name: string): string | undefined;
}

export interface ModelFile {
  readonly name: string;
  /** In bytes, exact; undefined where the server does not say. */
  readonly size: number | undefined;
  readonly stream: ReadableStream<Uint8Array>;
}
