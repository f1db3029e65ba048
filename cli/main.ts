#!/usr/bin/env node
/** The command `modernbert-webgpu`. Exit codes: 0 success, 1 failure, 2 bad arguments, 130 Ctrl-C. */
import { helpOf, parse, UsageError } from './command';
import { COMMANDS } from './commands';
import { version } from './package.json';

// The reader may close the pipe, as `| head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const words = Object.hasOwn(COMMANDS, args.slice(0, 2).join(' ')) ? 2 : 1;
  const name = args.slice(0, words).join(' ') || '--help';
  const argv = args.slice(words);
  if (['--help', '-h', 'help'].includes(name)) return say(overview());
  if (['--version', '-v'].includes(name)) return say(version);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) {
    return complain(2, `Unknown command '${name}'. The commands are ${Object.keys(COMMANDS).join(', ')}.`);
  }
  if (argv.includes('--help') || argv.includes('-h')) return say(helpOf(name, command));

  const controller = new AbortController();
  // `once`: a second Ctrl-C kills the process.
  for (const event of ['SIGINT', 'SIGTERM'] as const) process.once(event, () => controller.abort());
  try {
    await command.run({ ...parse(command, argv), signal: controller.signal });
    return 0;
  } catch (error) {
    if (controller.signal.aborted) return complain(130, 'Stopped.');
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof UsageError) return complain(2, `${message} See modernbert-webgpu ${name} --help.`);
    return complain(1, message);
  }
}

function overview(): string {
  const names = Object.keys(COMMANDS);
  const width = names.reduce((most, name) => Math.max(most, name.length), 0) + 2;
  return [
    'modernbert-webgpu COMMAND … [options]',
    '',
    ...names.map((name) => `  ${name.padEnd(width)}${COMMANDS[name].summary}`),
    '',
    'For options and formats: modernbert-webgpu COMMAND --help',
  ].join('\n');
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function complain(code: number, message: string): number {
  console.error(`modernbert-webgpu: ${message}`);
  return code;
}
