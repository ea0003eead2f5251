/**
 * Loads a package of `bench/peers/package.json`. By a name that is a value: the project's tools look for none of them, so that they
 * are green where the peers are not installed.
 */
export const peer = async <Module>(name: string): Promise<Module> => (await import(name)) as Module
