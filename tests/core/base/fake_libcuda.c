/* A stand-in for NVIDIA's libcuda.so.1. The environment says what it answers:
 *   FAKE_CUDA_INIT      what cuInit returns (0), or "crash", or "hang"
 *   FAKE_CUDA_VERSION   what cuDriverGetVersion says (13000)
 *   FAKE_CUDA_DEVICES   "major.minor:bytes:name;..." ("" for none) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    int major, minor;
    unsigned long long bytes;
    char name[80];
} Device;

static int listDevices(Device* devices, int capacity) {
    const char* text = getenv("FAKE_CUDA_DEVICES");
    int count = 0;
    while (text != NULL && *text != '\0' && count < capacity) {
        Device* d = &devices[count];
        if (sscanf(text, "%d.%d:%llu:%79[^;]", &d->major, &d->minor, &d->bytes, d->name) != 4) break;
        ++count;
        text = strchr(text, ';');
        if (text != NULL) ++text;
    }
    return count;
}

static int device(int index, Device* out) {
    Device devices[8];
    const int count = listDevices(devices, 8);
    if (index < 0 || index >= count) return 101; /* CUDA_ERROR_INVALID_DEVICE */
    *out = devices[index];
    return 0;
}

int cuInit(unsigned flags) {
    const char* answer = getenv("FAKE_CUDA_INIT");
    (void)flags;
    if (answer == NULL) return 0;
    if (strcmp(answer, "crash") == 0) abort();
    if (strcmp(answer, "hang") == 0) {
        for (;;) pause();
    }
    return atoi(answer);
}

int cuDriverGetVersion(int* version) {
    const char* answer = getenv("FAKE_CUDA_VERSION");
    *version = answer == NULL ? 13000 : atoi(answer);
    return 0;
}

int cuDeviceGetCount(int* count) {
    Device devices[8];
    *count = listDevices(devices, 8);
    return 0;
}

int cuDeviceGet(int* out, int index) {
    Device d;
    *out = index;
    return device(index, &d);
}

int cuDeviceGetName(char* name, int length, int index) {
    Device d;
    const int code = device(index, &d);
    if (code == 0) snprintf(name, (size_t)length, "%s", d.name);
    return code;
}

int cuDeviceGetAttribute(int* value, int attribute, int index) {
    Device d;
    const int code = device(index, &d);
    if (code == 0) *value = attribute == 75 ? d.major : d.minor;
    return code;
}

int cuDeviceTotalMem_v2(size_t* bytes, int index) {
    Device d;
    const int code = device(index, &d);
    if (code == 0) *bytes = (size_t)d.bytes;
    return code;
}

int cuGetErrorName(int code, const char** name) {
    switch (code) {
        case 100: *name = "CUDA_ERROR_NO_DEVICE"; return 0;
        case 304: *name = "CUDA_ERROR_OPERATING_SYSTEM"; return 0;
        case 803: *name = "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"; return 0;
        case 999: *name = "CUDA_ERROR_UNKNOWN"; return 0;
        default: return 1;
    }
}
