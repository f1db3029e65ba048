/** The URLs of the worker's parts in the built library (tools/library.mjs writes them). From the sources, the worker finds its parts by itself. */
export const workerParts: Record<string, string> = {};
