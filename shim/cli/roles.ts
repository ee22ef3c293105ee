/** `branchline roles`: group roles in Postgres, and who is in them. */
import { Command, Option } from 'commander';
import { BranchlineError } from '../common/branchline-error';
import { printedInstall, RoleAdmin, type InstalledRole } from '../store/roles/role-admin';
import { ROLE_KINDS, type RoleKind } from '../store/roles/rights';
import { STANDARD_PREFIX, type RoleSetOptions } from '../store/roles/set';
import { type DatabaseFlags, databaseOf } from './database';

interface PrefixFlags extends DatabaseFlags {
  prefix: string;
}
interface InstallFlags extends PrefixFlags {
  namespace?: string[];
  tenant?: string;
  tenantAttribute?: string;
  print?: boolean;
}
interface MemberFlags extends PrefixFlags {
  role: RoleKind;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const list = (value: string, previous: string[] = []): string[] => [
  ...previous,
  ...value.split(',').filter((text) => text !== ''),
];

export function rolesCommand(): Command {
  return new Command('roles')
    .description('Group roles in Postgres: who may read, start, work and run the whole')
    .addCommand(
      prefixed(new Command('install'))
        .description('Make the roles, or bring them up to date; as the owner of the schema, with CREATEROLE')
        .option('-n, --namespace <names>', 'restrict them to these namespaces, separated by commas', list)
        .option('--tenant <name>', 'restrict them to runs of one tenant: reader and client only')
        .option('--tenant-attribute <name>', 'search attribute (Keyword) that tells the tenant')
        .option('--print', 'print the SQL instead, for a DBA to run')
        .action(install),
    )
    .addCommand(database(new Command('show')).description('All roles of the schema, and who is in them').action(show))
    .addCommand(
      prefixed(new Command('uninstall')).description('Take the roles and their rights away').action(uninstall),
    )
    .addCommand(member(new Command('grant')).description('Make a login a member of a role').action(grant))
    .addCommand(member(new Command('revoke')).description('Take a login out of a role').action(revoke));
}

const database = (command: Command): Command =>
  command
    .option('--db <url>', 'postgres:// URL of the owner (else BRANCHLINE_URL, DATABASE_URL, PGHOST …)')
    .option('--schema <name>', "schema of Branchline's tables (else branchline)");
const prefixed = (command: Command): Command =>
  database(command).option('--prefix <name>', 'begins the names of the roles', STANDARD_PREFIX);
const member = (command: Command): Command =>
  prefixed(command)
    .argument('<login>')
    .addOption(new Option('--role <role>').choices(ROLE_KINDS).makeOptionMandatory());

function setOptions({ prefix, namespace, tenant, tenantAttribute }: InstallFlags): RoleSetOptions {
  if ((tenant === undefined) !== (tenantAttribute === undefined)) {
    throw new BranchlineError('BRANCHLINE_OPTION', 'Give --tenant and --tenant-attribute together.');
  }
  return {
    prefix,
    ...(namespace === undefined ? {} : { namespaces: namespace }),
    ...(tenant === undefined ? {} : { tenant: { attribute: tenantAttribute!, value: tenant } }),
  };
}

async function install(flags: InstallFlags): Promise<void> {
  const options = setOptions(flags);
  const { schema, url } = databaseOf(flags);
  if (flags.print === true) {
    process.stdout.write(printedInstall(schema ?? 'branchline', options));
    return;
  }
  await RoleAdmin.with({ url, schema }, async (admin) => {
    for (const role of await admin.install(options)) print(line(role));
    if (admin.publicIsOpen) {
      process.stderr.write(
        'Warning: everybody may create functions and operators in schema public: REVOKE CREATE ON SCHEMA public FROM PUBLIC.\n',
      );
    }
  });
}

async function show(flags: DatabaseFlags): Promise<void> {
  await RoleAdmin.with(databaseOf(flags), async (admin) => {
    const roles = await admin.installed();
    if (roles.length === 0) print('No roles are installed: branchline roles install makes them.');
    for (const role of roles) print(line(role));
  });
}

async function uninstall({ prefix, ...flags }: PrefixFlags): Promise<void> {
  await RoleAdmin.with(databaseOf(flags), async (admin) => {
    const gone = await admin.uninstall(prefix);
    if (gone.length === 0) print(`No roles with prefix ${prefix} are installed.`);
    for (const { name, members } of gone)
      print(`${name} is gone${members.length === 0 ? '' : `, with its members: ${members.join(', ')}`}`);
  });
}

async function grant(login: string, { role, prefix, ...flags }: MemberFlags): Promise<void> {
  await RoleAdmin.with(databaseOf(flags), async (admin) =>
    print(`${login} is in ${await admin.grant(role, login, prefix)}`),
  );
}

async function revoke(login: string, { role, prefix, ...flags }: MemberFlags): Promise<void> {
  await RoleAdmin.with(databaseOf(flags), async (admin) =>
    print(`${login} is not in ${await admin.revoke(role, login, prefix)} any more`),
  );
}

function line({ name, namespaces, tenant, members, outdated }: InstalledRole): string {
  const where = namespaces === undefined ? 'all namespaces' : `namespaces ${namespaces.join(', ')}`;
  const of = tenant === undefined ? '' : `, ${tenant.attribute} ${tenant.value}`;
  const old = outdated ? '; older than the tables: install it again' : '';
  return `${name}: ${where}${of}${old}; members: ${members.length === 0 ? 'none' : members.join(', ')}`;
}
