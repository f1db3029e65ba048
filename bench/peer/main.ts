// npm run bench:peer: this library beside others, in a Chromium or, with --node, in this process.
import { runCommand } from '../args';
import { compareInNode, NODE_USAGE } from './in-node';
import { compareInBrowser, USAGE } from './side-by-side';

const args = process.argv.slice(2);
if (args.includes('--node')) runCommand(() => compareInNode(args), NODE_USAGE);
else runCommand(compareInBrowser, USAGE);
