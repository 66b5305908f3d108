#define _GNU_SOURCE
#include "CLinuxDevices.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { max_rules = 64, max_instructions = 8 + 10 * max_rules };

struct program {
    struct bpf_insn instructions[max_instructions];
    int count;
};

static void add(struct program *program, int code, int to, int from, int offset, int number) {
    program->instructions[program->count++] = (struct bpf_insn){
        .code = (unsigned char)code, .dst_reg = to & 15, .src_reg = from & 15, .off = (short)offset, .imm = number};
}

static void load(struct program *program, int to, int offset) {
    add(program, BPF_LDX | BPF_W | BPF_MEM, to, BPF_REG_1, offset, 0);
}

static void answer(struct program *program, int allowed) {
    add(program, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, allowed);
    add(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

// Registers: 2 the type, 3 what is asked for, 4 the major number, 5 the minor number.
static void add_rule(struct program *program, const struct clinux_device_rule *rule) {
    int jumps[4], jump_count = 0;
    const int unless = BPF_JMP | BPF_JNE;
    jumps[jump_count++] = program->count;
    add(program, unless | BPF_K, BPF_REG_2, 0, 0, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    add(program, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
    add(program, BPF_ALU | BPF_AND | BPF_K, BPF_REG_1, 0, 0, rule->access);
    jumps[jump_count++] = program->count;
    add(program, unless | BPF_X, BPF_REG_1, BPF_REG_3, 0, 0);
    if (rule->major != clinux_device_any) {
        jumps[jump_count++] = program->count;
        add(program, unless | BPF_K, BPF_REG_4, 0, 0, rule->major);
    }
    if (rule->minor != clinux_device_any) {
        jumps[jump_count++] = program->count;
        add(program, unless | BPF_K, BPF_REG_5, 0, 0, rule->minor);
    }
    answer(program, 1);
    for (int i = 0; i < jump_count; i++) program->instructions[jumps[i]].off = (short)(program->count - jumps[i] - 1);
}

int clinux_load_device_program(const struct clinux_device_rule *rules, int count) {
    struct program program = {.count = 0};
    union bpf_attr attributes;
    if (count < 0 || count > max_rules) {
        errno = E2BIG;
        return -1;
    }
    // The type is in the lower half of access_type, what is asked for in the upper.
    load(&program, BPF_REG_2, 0);
    add(&program, BPF_ALU | BPF_AND | BPF_K, BPF_REG_2, 0, 0, 0xffff);
    load(&program, BPF_REG_3, 0);
    add(&program, BPF_ALU | BPF_RSH | BPF_K, BPF_REG_3, 0, 0, 16);
    load(&program, BPF_REG_4, 4);
    load(&program, BPF_REG_5, 8);
    for (int i = 0; i < count; i++) add_rule(&program, &rules[i]);
    answer(&program, 0);
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    attributes.insns = (unsigned long)program.instructions;
    attributes.insn_cnt = (unsigned)program.count;
    attributes.license = (unsigned long)"Apache";
    return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
}

int clinux_attach_device_program(int program, int group) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.target_fd = (unsigned)group;
    attributes.attach_bpf_fd = (unsigned)program;
    attributes.attach_type = BPF_CGROUP_DEVICE;
    // Those of the groups above decide too.
    attributes.attach_flags = BPF_F_ALLOW_MULTI;
    return (int)syscall(SYS_bpf, BPF_PROG_ATTACH, &attributes, sizeof attributes);
}
