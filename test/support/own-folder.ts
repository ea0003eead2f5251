import { ownEmbedded } from '../../src/database/embedded.ts'

// A program for the tests: owns a data folder until it is killed.
const [, , folder = ''] = process.argv
const embedded = await ownEmbedded({ folder, onEvent: console.log })
console.log(`owns ${embedded.pid()}`)
setInterval(() => {}, 60_000)
