import { Button, Checkbox, createTheme, Input, Modal, Radio, Tooltip } from '@mantine/core'

/** Mantine drawn with our own tokens (look.css): ink for the deed, red only where it takes access, blue where the person acts. */
export const theme = createTheme({
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '14px', xl: '16px' },
  lineHeights: { xs: '16px', sm: '20px', md: '20px', lg: '20px', xl: '24px' },
  defaultRadius: 6,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: Button.extend({
      defaultProps: { variant: 'default', size: 'sm' },
      vars: (_theme, { variant, color, size }) => ({
        root: {
          '--button-height': size === 'xs' ? '28px' : size === 'md' ? '36px' : size === 'lg' ? '40px' : '32px',
          '--button-padding-x': size === 'xs' ? '10px' : '12px',
          '--button-fz': '13px',
          ...(variant === 'filled' && {
            '--button-bg': color === 'take' ? 'var(--take)' : 'var(--ink)',
            '--button-hover': color === 'take' ? 'var(--take-hover)' : 'var(--ink-hover)',
            '--button-color': color === 'take' ? '#fff' : 'var(--on-ink)',
            '--button-bd': '1px solid transparent',
          }),
          ...(variant === 'default' && {
            '--button-bg': 'var(--surface)',
            '--button-hover': 'var(--sunken)',
            '--button-color': 'var(--text-1)',
            '--button-bd': '1px solid var(--line-strong)',
          }),
        },
      }),
    }),
    Input: Input.extend({
      vars: (_theme, { size }) => ({
        wrapper: {
          '--input-height': size === 'md' ? '36px' : '32px',
          '--input-fz': '13px',
          '--input-bg': 'var(--surface)',
          '--input-bd': 'var(--line-strong)',
        },
      }),
    }),
    Checkbox: Checkbox.extend({ defaultProps: { size: 'md', radius: 6 } }),
    Radio: Radio.extend({ defaultProps: { size: 'md' } }),
    Modal: Modal.extend({
      defaultProps: {
        centered: true,
        radius: 12,
        withCloseButton: false,
        padding: 0,
        size: 560,
        transitionProps: { duration: 0 },
      },
    }),
    Tooltip: Tooltip.extend({
      defaultProps: { openDelay: 300, events: { hover: true, focus: true, touch: false }, multiline: true, maw: 360, fz: 12 },
    }),
  },
})
