/** The files of one checkpoint, wherever they are. */
export interface ModelFiles {
  /** What to call the place in messages: a URL, a folder, "the given files". */
  readonly where: string;
  /** Opens a file; undefined if there is none of that name. `name` is relative, with '/'. */
  open(name: string, signal?: AbortSignal): Promise<ModelFile | undefined>;
  /** What was found in the place of a file that `open` did not give, where there is more to say than that it is not there. */
  whyMissing?(name: string): string | undefined;
  /** What the cache knows the files by; undefined for files of this device. */
  readonly identity?: Identity;
  /** The file as it is, stored for the next load while its stream is read to the end. */
  keep?(file: ModelFile): ModelFile;
}

/** `commit`, once it is known, is where the files come from. */
export interface Identity {
  source: string;
  hubUrl?: string;
  revision?: string;
  commit?: string;
}

export interface ModelFile {
  readonly name: string;
  /** In bytes, exact; undefined where the server does not say. */
  readonly size: number | undefined;
  readonly stream: ReadableStream<Uint8Array>;
  /** The same bytes, where they can be read faster so: a chunk of it is good only until the next one is asked for. */
  readonly fleetingStream?: ReadableStream<Uint8Array>;
  /** Weights that are stored as the loader wants them. */
  readonly isPrepared?: boolean;
}
