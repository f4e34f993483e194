# The accelerator probe's firmware: from the reset vector through real and protected mode into long mode, then
# what a kernel does in its first moments. A mark per stage goes to the debug console (port 0xe9); the end is a
# write to QEMU's isa-debug-exit (port 0xf4). Linked at 0xff000: the last 4 KiB below 1 MiB, where a 64 KiB
# firmware is seen as well as at the top of 4 GiB. Sources/Steps/QEMU/ProbeFirmware.swift holds the bytes;
# scripts/probe-firmware.sh makes them.
#
# RAM:   0x1000 PML4   0x2000 PDPT   0x3000 page directory (2 MiB pages)   0x4000 IDT   0x8000 stack, downwards
#        0x6000 page directory of the local APIC   0x8000 counters of interrupts seen

        .set    CONSOLE, 0xe9
        .set    EXIT, 0xf4
        .set    ENDED_WELL, 0x10        # QEMU's status is this * 2 + 1
        .set    FAILED, 0x20
        .set    IDT, 0x4000
        .set    STACK, 0x8000
        .set    SEEN_SOFTWARE, 0x8000
        .set    SEEN_TIMER, 0x8004
        .set    UNMAPPED, 0x200000
        .set    LOCAL_APIC, 0xfee00000

        .macro  mark letter
        mov     $\letter, %al
        out     %al, $CONSOLE
        .endm

        .macro  set_register number, low, high
        mov     $\number, %ecx
        mov     $\low, %eax
        mov     $\high, %edx
        wrmsr
        .endm

        .text
        .globl  _start
_start:
        .code16
start:  cli
        mark    'R'
        lgdtl   %cs:(table - 0xf0000)
        mov     %cr0, %eax
        or      $1, %eax
        mov     %eax, %cr0
        ljmpl   $0x08, $protected

        .code32
protected:
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $STACK, %esp
        mark    'P'

        # Everything may be used from ring 3 too; the second page of 2 MiB is left out.
        cld
        xor     %eax, %eax
        mov     $0x1000, %edi
        mov     $(0x8000 / 4), %ecx
        rep stosl
        movl    $0x2007, 0x1000
        movl    $0x3007, 0x2000
        movl    $0x0087, 0x3000
        movl    $0x6007, 0x2018
        movl    $(LOCAL_APIC | 0x97), 0x6fb8

        mov     %cr4, %eax
        or      $0x620, %eax            # PAE, OSFXSR, OSXMMEXCPT
        mov     %eax, %cr4
        mov     $0x1000, %eax
        mov     %eax, %cr3
        set_register 0xc0000080, 0x101, 0       # EFER: long mode, syscall
        mov     %cr0, %eax
        or      $0x80010000, %eax       # paging, write protection
        mov     %eax, %cr0
        ljmpl   $0x18, $long

        .code64
long:   mov     $STACK, %esp
        mark    'L'

        # All vectors fail, but for three.
        mov     $IDT, %edi
        mov     $256, %ecx
        lea     unexpected(%rip), %rax
1:      call    set_gate
        loop    1b
        mov     $(IDT + 14 * 16), %edi
        lea     page_fault(%rip), %rax
        call    set_gate
        mov     $(IDT + 0x20 * 16), %edi
        lea     timer(%rip), %rax
        call    set_gate
        mov     $(IDT + 0x30 * 16), %edi
        lea     software(%rip), %rax
        call    set_gate
        lidt    interrupts(%rip)

        int     $0x30
        cmpl    $1, SEEN_SOFTWARE
        jne     failed
        mark    'I'

        movl    $0x12345678, UNMAPPED
        cmpl    $0x12345678, UNMAPPED
        jne     failed
        mark    'F'

        set_register 0xc0000101, 0x1111, 0x22   # GS base
        set_register 0xc0000102, 0x3333, 0x44   # the one that swapgs brings
        swapgs
        mov     $0xc0000101, %ecx
        rdmsr
        cmp     $0x3333, %eax
        jne     failed
        cmp     $0x44, %edx
        jne     failed
        swapgs
        rdmsr
        cmp     $0x1111, %eax
        jne     failed
        mark    'M'

        set_register 0xc0000081, 0, 0x00200018  # STAR: ring 0 at 0x18, ring 3 at 0x30
        set_register 0xc0000082, system_call, 0 # LSTAR
        set_register 0xc0000084, 0x700, 0       # SFMASK
        mov     $user, %ecx
        mov     $0x2, %r11d
        sysretq
user:   mov     $0x5a5a, %edi
        movq    %rdi, %xmm0
        syscall
        ud2
system_call:
        mov     %cs, %eax
        cmp     $0x18, %eax
        jne     failed
        cmp     $0x5a5a, %edi
        jne     failed
        mark    'U'

        # The local APIC passes on what the other controllers say; these: 8 vectors each from 0x20, all masked but the timer's; then the timer at 1 kHz.
        mov     $LOCAL_APIC, %edi
        movl    $0x1ff, 0xf0(%rdi)
        movl    $0x700, 0x350(%rdi)
        mov     $0x11, %al
        out     %al, $0x20
        out     %al, $0xa0
        mov     $0x20, %al
        out     %al, $0x21
        mov     $0x28, %al
        out     %al, $0xa1
        mov     $0x04, %al
        out     %al, $0x21
        mov     $0x02, %al
        out     %al, $0xa1
        mov     $0x01, %al
        out     %al, $0x21
        out     %al, $0xa1
        mov     $0xfe, %al
        out     %al, $0x21
        mov     $0xff, %al
        out     %al, $0xa1
        mov     $0x34, %al
        out     %al, $0x43
        mov     $0xa9, %al
        out     %al, $0x40
        mov     $0x04, %al
        out     %al, $0x40
2:      sti
        hlt
        cli
        cmpl    $3, SEEN_TIMER
        jb      2b
        mark    'T'

        # Work with memory, CPUID and fresh page tables in between.
        mov     $64, %r8d
3:      mov     $0x400, %ecx
        mov     $0x10000, %edi
4:      mov     %rcx, (%rdi)
        add     (%rdi), %rax
        add     $8, %rdi
        dec     %ecx
        jnz     4b
        xor     %eax, %eax
        cpuid
        mov     %cr3, %rax
        mov     %rax, %cr3
        dec     %r8d
        jnz     3b
        mark    'W'

        mov     $ENDED_WELL, %al
leave:  out     %al, $EXIT
5:      hlt
        jmp     5b

unexpected:
failed: mark    '!'
        mov     $FAILED, %al
        jmp     leave

page_fault:
        push    %rax
        mov     %cr2, %rax
        cmp     $UNMAPPED, %rax
        jne     failed
        movl    $(UNMAPPED | 0x87), 0x3008
        pop     %rax
        add     $8, %rsp                # the error code
        iretq

software:
        incl    SEEN_SOFTWARE
        iretq

timer:  push    %rax
        incl    SEEN_TIMER
        mov     $0x20, %al
        out     %al, $0x20
        pop     %rax
        iretq

# Writes the gate at EDI for the handler at EAX, and moves EDI to the next one.
set_gate:
        mov     %ax, (%rdi)
        movw    $0x18, 2(%rdi)
        movw    $0x8e00, 4(%rdi)
        mov     %eax, %edx
        shr     $16, %edx
        mov     %dx, 6(%rdi)
        add     $16, %edi
        ret

        # The accessed bits are set: the processor cannot set them in a ROM.
        .balign 8
descriptors:
        .quad   0
        .quad   0x00cf9b000000ffff      # 0x08 code, 32 bits
        .quad   0x00cf93000000ffff      # 0x10 data
        .quad   0x00af9b000000ffff      # 0x18 code, 64 bits
        .quad   0x00cf93000000ffff      # 0x20 data
        .quad   0x00cff3000000ffff      # 0x28 data, ring 3
        .quad   0x00affb000000ffff      # 0x30 code, 64 bits, ring 3
table:  .word   table - descriptors - 1
        .long   descriptors
interrupts:
        .word   256 * 16 - 1
        .quad   IDT
code_end:

        .org    0xff0
        .code16
reset:  jmp     start
        .org    0x1000
