/** Reads PDFs off the page's thread, for read-pdf.ts. */
import 'pdfjs-dist/legacy/build/pdf.worker.mjs';
