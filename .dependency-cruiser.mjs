// Rooms by what they know: each may import itself and the rooms named here. docs/architecture.md says why.
const rooms = {
  scim: [],
  database: [],
  client: [],
  organization: ['database'],
  provisioning: ['organization', 'database', 'scim'],
  review: ['provisioning', 'organization', 'database'],
  sync: ['review', 'provisioning', 'organization', 'database', 'scim'],
  outgoing: [],
  push: ['outgoing', 'organization', 'database', 'scim'],
  notify: ['outgoing', 'organization', 'database'],
  http: ['notify', 'sync', 'review', 'provisioning', 'push', 'outgoing', 'organization', 'database', 'scim'],
  server: ['http', 'notify', 'sync', 'review', 'provisioning', 'push', 'outgoing', 'organization', 'database', 'scim'],
  cli: ['client'],
  console: ['client'],
}

// The commands that start a server, and the one that is the pusher.
const serverCommands = '^src/cli/commands/(serve|migrate|demo|admin-token|admin/link|secrets)[.]ts$|^src/cli/demo[.]ts$'
const pushCommands =
  '^src/cli/(commands/(push|demo|push/[a-z-]+)|views/(push|push-plan|demo)|push-failure|push-plan)[.]ts$|^src/cli/demo[.]ts$'

// Makes the API's types from the routes, at the developer's; nothing imports it.
const generator = '^src/client/generate[.]ts$'
const exceptions = { cli: `${serverCommands}|${pushCommands}`, client: generator }

const roomRule = ([room, others]) => ({
  name: `${room} imports ${others.length === 0 ? 'nothing of ours' : others.join(', ')}`,
  severity: 'error',
  from: { path: `^src/${room}/`, ...(exceptions[room] ? { pathNot: exceptions[room] } : {}) },
  to: { path: '^src/', pathNot: `^src/(${[room, ...others].join('|')})/` },
})

export default {
  forbidden: [
    ...Object.entries(rooms).map(roomRule),
    {
      name: 'a command that starts a server imports server, client, cli',
      severity: 'error',
      from: { path: serverCommands, pathNot: pushCommands },
      to: { path: '^src/', pathNot: '^src/(server|client|cli)/' },
    },
    {
      name: 'the pusher imports push, client, cli',
      severity: 'error',
      from: { path: pushCommands, pathNot: serverCommands },
      to: { path: '^src/', pathNot: '^src/(push|client|cli)/|^src/organization/refusal[.]ts$' },
    },
    {
      name: 'the demo imports server, push, client, cli',
      severity: 'error',
      from: { path: '^src/cli/commands/demo[.]ts$|^src/cli/demo[.]ts$' },
      to: { path: '^src/', pathNot: '^src/(server|push|client|cli)/' },
    },
    {
      name: 'the protocol imports no package',
      severity: 'error',
      from: { path: '^src/scim/' },
      to: { dependencyTypes: ['npm'] },
    },
    {
      name: 'the protocol is pure',
      severity: 'error',
      from: { path: '^src/scim/' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?util$' },
    },
    {
      name: 'review reads only',
      severity: 'error',
      from: { path: '^src/review/' },
      to: { path: '^src/database/(transaction|jobs)[.]ts$' },
    },
    { name: 'the generator is imported by nothing', severity: 'error', from: {}, to: { path: generator } },
    { name: 'no circle', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'everything is found', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'import', 'default'] },
    doNotFollow: { path: 'node_modules' },
  },
}
