// Before the first paint, so that a dark page never flashes white. Not inline: the page runs scripts of its own host only.
const asked = localStorage.getItem('mantine-color-scheme-value') ?? 'auto'
const isDark = asked === 'dark' || (asked === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
