import { UnsupportedModelError } from '../api/errors';

/** The files of one checkpoint, wherever they are stored. */
export interface ModelFiles {
  /** The checkpoint that these are a folder of. */
  readonly root?: ModelFiles;
  /** Names the place in messages: a URL, a folder, "the given files". */
  readonly where: string;
  /**
   * Opens a file; undefined if there is none of that name. `name` is relative, with '/' (isFileName). `isOptional`: a file that the server
   * refuses (401, 403), or for which no answer comes, counts as missing; otherwise that is a ModelFileError.
   */
  open(name: string, signal?: AbortSignal, isOptional?: boolean): Promise<ModelFile | undefined>;
  /** Why `open` returned undefined, if there is more to say than that the file does not exist. */
  whyMissing?(name: string): string | undefined;
  /** Whether `open` returned undefined without knowing: no answer came, or a refusal. The store does not remember such a file as missing. */
  isUnsure?(name: string): boolean;
  /** Identifies the files in the cache; undefined for files on this device. */
  readonly identity?: Identity;
  /** Of files on this device: the folder that they are in; undefined if that is unknown. */
  readonly name?: string;
  /** The adapter that is merged in: its files, and numbers of it by which it is told apart from others. */
  readonly adapter?: { files: ModelFiles; values: Float32Array };
  /** Tensors of the weights that an adapter brings and the model must read; undefined until the weights are open. */
  added?(): string[] | undefined;
  /** The same file, which is stored for the next load while its stream is read to the end. */
  keep?(file: ModelFile): ModelFile;
}

/**
 * Whether a name, read from a file or given by the caller, stays below the checkpoint's folder in every kind of source: no absolute path, URL
 * or drive, no part that is empty or a way up (Windows drops dots and spaces at its end), nothing encoded.
 */
export const isFileName = (name: string): boolean =>
  !/[\\:%\p{Cc}\p{Cs}]/u.test(name) && name.split('/').every((part) => !/^[. ]*$/.test(part));

/** The files of a folder of a checkpoint, as a checkpoint of their own. */
export function inFolder(files: ModelFiles, folder: string): ModelFiles {
  if (folder === '') return files;
  const at = (name: string) => `${folder}/${name}`;
  return {
    ...files,
    root: files.root ?? files,
    where: `${files.where} (${folder})`,
    open: (name, signal, isOptional) => files.open(at(name), signal, isOptional),
    whyMissing: (name) => files.whyMissing?.(at(name)),
    isUnsure: (name) => files.isUnsure?.(at(name)) ?? false,
  };
}

/** The error for files whose adapter has found no weights to go into; undefined for others. */
export const unmergedError = (files: ModelFiles): UnsupportedModelError | undefined =>
  files.added && !files.added()
    ? new UnsupportedModelError(
        `The base in ${files.where} has its Transformer in a folder of its own; adapters of such checkpoints are not supported.`,
      )
    : undefined;

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
