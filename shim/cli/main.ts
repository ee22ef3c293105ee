#!/usr/bin/env node
/** The command `branchline`. One file per verb; what is heavy is loaded when a verb runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { assessCommand } from './assess';
import { checkCommand, codemodCommand } from './codemod';
import { exitCodeOf, messageOf } from './failure';
import { drainCommand } from './drain';
import { restoreCommand } from './restore';
import { rolesCommand } from './roles';
import { routeCommand } from './route';
import { scheduleCommand } from './schedule';
import { serverCommand } from './server';

const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { version: string };

const program = new Command('branchline')
  .description("Temporal's TypeScript SDK on tables in your own Postgres")
  .version(version)
  .showHelpAfterError('(--help tells more)')
  .addCommand(drainCommand())
  .addCommand(restoreCommand())
  .addCommand(routeCommand())
  .addCommand(scheduleCommand())
  .addCommand(rolesCommand())
  .addCommand(serverCommand())
  .addCommand(assessCommand())
  .addCommand(codemodCommand())
  .addCommand(checkCommand());

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`Error: ${messageOf(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
