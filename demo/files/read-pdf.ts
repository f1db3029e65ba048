// The legacy build: the other one needs browsers that are younger than WebGPU.
import { getDocument, PDFWorker } from 'pdfjs-dist/legacy/build/pdf.mjs';
import { pageText } from './pdf-text';
import { createTextParts } from './text-parts';

/** How Chinese, Japanese and Korean fonts that a file does not embed number their characters, by name. */
const CMAPS = import.meta.glob<string>('../../node_modules/pdfjs-dist/cmaps/*.bcmap', {
  query: '?url&no-inline',
  eager: true,
  import: 'default',
});

/** What pdf.js asks of the site while it reads: character maps. Fonts and picture codecs are only for drawing. */
class SiteFiles {
  async fetch({ kind, filename }: { kind: string; filename: string }): Promise<Uint8Array> {
    const address = CMAPS[`../../node_modules/pdfjs-dist/cmaps/${filename}`];
    if (kind !== 'cMapUrl' || !address) throw new Error(`This page has no ${filename}.`);
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${filename} could not be fetched: status ${response.status}.`);
    return new Uint8Array(await response.arrayBuffer());
  }
}

let worker: PDFWorker | undefined;

/** A file of this site, so that a content security policy may ask for that. */
function startWorker(): PDFWorker {
  const port = new Worker(new URL('./pdf-worker.ts', import.meta.url), { type: 'module', name: 'pdf' });
  return new PDFWorker({ port: port as unknown as null }); // pdf.js's types know only of its default
}

/** A PDF's text, pages apart by an empty line, and where each begins. Throws an Error in words if it is locked or broken. */
export async function readPdf(
  name: string,
  data: Uint8Array,
  signal?: AbortSignal,
): Promise<{ text: string; pages: number[] }> {
  worker ??= startWorker(); // one reads all files
  const task = getDocument({
    data,
    worker,
    isEvalSupported: false,
    useWorkerFetch: false,
    cMapPacked: true,
    BinaryDataFactory: SiteFiles,
    verbosity: 0,
  });
  const stop = () => void task.destroy();
  signal?.addEventListener('abort', stop);
  try {
    const pdf = await task.promise;
    const text = createTextParts(name);
    for (let n = 1; n <= pdf.numPages; n++) {
      signal?.throwIfAborted();
      const page = await pdf.getPage(n);
      const { items } = await page.getTextContent();
      text.add(pageText(items.filter((item) => 'str' in item)).trim());
      page.cleanup();
    }
    return { text: text.text(), pages: text.starts };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof RangeError) throw error;
    if ((error as Error).name === 'PasswordException') {
      throw new Error(`${name} is locked with a password. Save a copy without one and give that.`, { cause: error });
    }
    throw new Error(`${name} could not be read as a PDF: ${(error as Error).message}`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', stop);
    await task.destroy();
  }
}
