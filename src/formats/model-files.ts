/** The files of one checkpoint, wherever they are stored. */
export interface ModelFiles {
  /** Names the place in messages: a URL, a folder, "the given files". */
  readonly where: string;
  /** Opens a file; undefined if there is none of that name. `name` is relative, with '/'. */
  open(name: string, signal?: AbortSignal): Promise<ModelFile | undefined>;
  /** Why `open` returned undefined, if there is more to say than that the file does not exist. */
  whyMissing?(name: string): string | undefined;
  /** Identifies the files in the cache; undefined for files on this device. */
  readonly identity?: Identity;
  /** The same file, which is stored for the next load while its stream is read to the end. */
  keep?(file: ModelFile): ModelFile;
}

/** `commit`: of the files, once it is known. */
export interface Identity {
  source: string;
  hubUrl?: string;
  revision?: string;
  commit?: string;
}

export interface ModelFile {
  readonly name: string;
  /** In bytes, exact; undefined if the server does not report it. */
  readonly size: number | undefined;
  readonly stream: ReadableStream<Uint8Array>;
  /** The same bytes, if there is a faster way to read them: a chunk is valid only until the next one is read. */
  readonly fleetingStream?: ReadableStream<Uint8Array>;
  /** Whether these are weights in the form that goes to the GPU. */
  readonly isPrepared?: boolean;
}
