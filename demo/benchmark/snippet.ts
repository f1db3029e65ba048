// Lines that measure the same elsewhere.
import { quoted } from '../take-away/snippets';
import type { Snippets } from '../take-away/take-away';
import { PAGE_TOKENS, PAGES } from './measure';

const COMMAND = `# in a checkout of the project; the sets are of token ids
npm run bench -- --adapter system --models nano --cases fixed-${PAGE_TOKENS},query-16,fixed-8192
`;

/** How long `PAGES` pages take with the model at `address`. */
export const measureCode = (address: string): Snippets => ({
  typescript: `\
import { loadModel } from 'modernbert-webgpu';

const model = await loadModel(${quoted(address)});
await model.warm();
const pages = Array(64).fill('Your own text. '.repeat(127)); // about ${PAGE_TOKENS} tokens each
const times = [];
for (let run = 0; run < 6; run++) {
  const start = performance.now();
  await model.embed(pages);
  times.push(performance.now() - start);
}
const [median] = times.slice(1).sort((a, b) => a - b).slice(2); // without the first, which sets up
console.log(\`${PAGES} pages: \${((${PAGES} / pages.length) * median) / 1000} s\`);
`,
  shell: COMMAND,
});
