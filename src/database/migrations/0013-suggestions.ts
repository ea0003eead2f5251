import { type Kysely, sql } from 'kysely'

export const breaking = false

/**
 * What names are compared by beyond being one name: `look_key`, the same for names that look the same, and `alike_key`, the same for names
 * that say the same. Both are made of the name key by the database, so that no writer can forget them. And which pairs an admin said are
 * not the same.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(functions).execute(db)
  for (const table of ['groups', 'provisioned_groups']) {
    await sql
      .raw(`
        alter table ${table}
          add column look_key text not null generated always as (look_of(name_key)) stored,
          add column alike_key text not null generated always as (alike_of(name_key)) stored;
      `)
      .execute(db)
  }
  await sql.raw(notTheSame).execute(db)
}

// Letters of other scripts, and rare Latin ones, that are drawn like a Latin letter, small or capital, as name keys have them. From the data
// of Unicode Technical Standard 39 (confusables.txt, version 13), of the scripts that names are written in; what NFKC folds is not needed.
const drawnLike: [script: string, letters: string, latin: string][] = [
  ['Cyrillic', 'авгекмнорстухьѕіјѡѵүһҽӏԁԍԛԝꙇ', 'abrekmhopctyxbsljwvyheldgqwl'],
  ['Greek', 'αβγεζηικμνορστυχϝϳϻᴦ', 'abyezhlkmvopotuxfjmr'],
  ['Armenian', 'ագզհոռստցքօ', 'wqqhnnusgfo'],
  ['Cherokee', 'ᏻᏼꭰꭱꭲꭵꭹꭺꭻꭼꮁꮃꮇꮋꮍꮐꮒꮓꮟꮢꮤꮥꮩꮪꮮꮯꮲꮶꮷ', 'gbdrtlyajerwmhyghzbrwsvslcpkd'],
  ['Latin', 'ƅƍƽǀɑɡɣɩɪɯʀʋʏʝᴄᴏᴑᴜᴠᴡᴢᶃᶌẝỿꜱꞙꞟꞵꬲꬵꬽꭇꭈꭎꭒꭓꭚ', 'bgslagyllwruyjcoouvwzgyfysfubeforruuxy'],
]
const letters = drawnLike.map(([, from]) => from).join('')
const latin = drawnLike.map(([, , to]) => to).join('')

// Names are one whatever their case: what looks alike in one case counts. A capital i, a small L and a one do, O and zero, m and rn.
// Words that say what a group is, not which: at the beginning or the end.
const functions = `
create function look_of(name_key text) returns text language sql immutable parallel safe return
  replace(translate(name_key, '${letters}i1|0', '${latin}lllo'), 'rn', 'm');

create function alike_of(name_key text) returns text language sql immutable parallel safe return
  coalesce(
    nullif(regexp_replace(regexp_replace(translate(name_key, '${letters}', '${latin}'),
      '^((app|apps|grp|group|groups|team|role|sec|sg|dl|ad|aad|entra|okta)[ !-/:-@\\[-\`{-~]+)+|([ !-/:-@\\[-\`{-~]+(grp|group|groups|team|role))+$', '', 'g'),
      '[ !-/:-@\\[-\`{-~]', '', 'g'), ''),
    name_key);
`

const notTheSame = `
create index groups_by_look on groups (org_id, look_key) where effective;

-- Pairs of a pushed group and an existing one that an admin said are not the same: not suggested again.
create table not_the_same (
  org_id uuid not null,
  provisioned_group_id uuid not null,
  group_id uuid not null,
  said_by text not null,
  said_at timestamptz not null default now(),
  primary key (org_id, provisioned_group_id, group_id),
  foreign key (org_id, provisioned_group_id) references provisioned_groups on delete cascade,
  foreign key (org_id, group_id) references groups on delete cascade
);
create index not_the_same_by_group on not_the_same (org_id, group_id);
alter table not_the_same enable row level security;
alter table not_the_same force row level security;
create policy organization on not_the_same using (org_id = nullif(current_setting('muster.org_id', true), '')::uuid);
`
