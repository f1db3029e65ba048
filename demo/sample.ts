let reading: Promise<Blob> | undefined;

async function read(): Promise<Blob> {
  const response = await fetch('./samples/moby-dick.safetensors');
  if (!response.ok) throw new Error(`The sample could not be loaded: HTTP status ${response.status}.`);
  return response.blob();
}

/** The book that comes with the page: the file of an index (public/samples). It is fetched once; after an error the next call tries again. */
export function readSample(): Promise<Blob> {
  reading ??= read().catch((error) => {
    reading = undefined;
    throw error;
  });
  return reading;
}
