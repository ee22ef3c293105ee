#!/usr/bin/env node
/** Takes the command line that the SDK starts Temporal's dev server with, and starts `branchline server` on a schema of its own. */
const { randomBytes } = require('node:crypto');
const path = require('node:path');

const taken = ['--ip', '--port', '--namespace', '--search-attribute'];
const given = process.argv.slice(2);
const kept = given.flatMap((argument, index) => (taken.includes(argument) ? [argument, given[index + 1]] : []));
const schema = `suite_${randomBytes(6).toString('hex')}`;

process.argv.splice(2, Infinity, 'server', '--schema', schema, '--max-connections', '4', ...kept);
require(path.resolve(__dirname, '../../lib/cli/main.js'));
