/* Fills the structures the agent reads with known values, as Windows headers lay them out, and prints their bytes.
 *
 *   x86_64-w64-mingw32-gcc layouts.c -o layouts.exe && wine layouts.exe > layouts.txt
 *
 * One line each: name, the address the block lay at (hexadecimal), its bytes. Texts lie in the block behind the
 * structures, where Windows puts them too.
 */
#define _WIN32_WINNT 0x0A00
#include <winsock2.h>
#include <windows.h>
#include <wtsapi32.h>
#include <pdh.h>
#include <pdhmsg.h>
#include <wlanapi.h>
#include <winspool.h>
#include <stdio.h>
#include <string.h>

static union { BYTE bytes[4096]; LONGLONG aligned; } block;
static size_t used;

static void begin(size_t size) { memset(&block, 0, sizeof block); used = size; }

static LPWSTR text(const wchar_t *value) {
    LPWSTR place = (LPWSTR)(block.bytes + used);
    wcscpy(place, value);
    used += (wcslen(value) + 1) * sizeof(WCHAR);
    return place;
}

static void show(const char *name) {
    printf("%s %llx ", name, (unsigned long long)(ULONG_PTR)block.bytes);
    for (size_t i = 0; i < used; i++) printf("%02x", block.bytes[i]);
    printf("\n");
}

static void counters(void) {
    PDH_FMT_COUNTERVALUE_ITEM_W *item = (void *)block.bytes;
    begin(4 * sizeof *item);
    const wchar_t *names[] = {L"1", L"2", L"Average", L"Max"};
    const double values[] = {15.0, 312.5, 163.75, 312.5};
    const DWORD states[] = {PDH_CSTATUS_VALID_DATA, PDH_CSTATUS_NEW_DATA, PDH_CSTATUS_NO_INSTANCE, PDH_CSTATUS_VALID_DATA};
    for (int i = 0; i < 4; i++) {
        item[i].szName = text(names[i]);
        item[i].FmtValue.CStatus = states[i];
        item[i].FmtValue.doubleValue = values[i];
    }
    show("counters");
}

static void interfaces(void) {
    WLAN_INTERFACE_INFO_LIST *list = (void *)block.bytes;
    begin(sizeof *list + 2 * sizeof(WLAN_INTERFACE_INFO));
    list->dwNumberOfItems = 2;
    for (int i = 0; i < 2; i++) {
        memset(&list->InterfaceInfo[i].InterfaceGuid, 0x11 * (i + 1), sizeof(GUID));
        wcscpy(list->InterfaceInfo[i].strInterfaceDescription, L"Wireless adapter");
        list->InterfaceInfo[i].isState = i ? wlan_interface_state_connected : wlan_interface_state_disconnected;
    }
    show("interfaces");
}

static void connection(void) {
    WLAN_CONNECTION_ATTRIBUTES *found = (void *)block.bytes;
    begin(sizeof *found);
    found->isState = wlan_interface_state_connected;
    wcscpy(found->strProfileName, L"Ward");
    found->wlanAssociationAttributes.dot11Ssid.uSSIDLength = 4;
    memcpy(found->wlanAssociationAttributes.dot11Ssid.ucSSID, "Ward", 4);
    memcpy(found->wlanAssociationAttributes.dot11Bssid, "\x02\x00\x00\x00\x00\x07", 6);
    found->wlanAssociationAttributes.wlanSignalQuality = 62;
    found->wlanAssociationAttributes.ulRxRate = 130000;
    found->wlanAssociationAttributes.ulTxRate = 65000;
    show("connection");
}

static void printer(const char *name, DWORD status, DWORD attributes, DWORD jobs) {
    PRINTER_INFO_2W *found = (void *)block.bytes;
    begin(sizeof *found);
    found->pPrinterName = text(L"Ward 3 (from desk) in session 2");
    found->pPortName = text(L"CLIENT-1:");
    found->pDriverName = text(L"Example Universal Driver");
    found->Status = status;
    found->Attributes = attributes;
    found->cJobs = jobs;
    show(name);
}

static void printers(void) {
    PRINTER_INFO_4W *found = (void *)block.bytes;
    begin(2 * sizeof *found);
    found[0].pPrinterName = text(L"Ward 3 (from desk) in session 2");
    found[0].Attributes = PRINTER_ATTRIBUTE_LOCAL;
    found[1].pPrinterName = text(L"\\\\print-1\\Office");
    found[1].pServerName = text(L"\\\\print-1");
    found[1].Attributes = PRINTER_ATTRIBUTE_NETWORK;
    show("printers");
}

/* Newer than the headers of mingw-w64 12; values of the Windows SDK. */
#ifndef PRINTER_DRIVER_XPS
#define PRINTER_DRIVER_XPS 0x00000002
#endif
#ifndef JOB_STATUS_RETAINED
#define JOB_STATUS_RETAINED 0x00002000
#endif

static void driver(const char *name, DWORD version, DWORD attributes) {
    DRIVER_INFO_8W *found = (void *)block.bytes;
    begin(sizeof *found);
    found->cVersion = version;
    found->pName = text(L"Example Universal Driver");
    found->dwPrinterDriverAttributes = attributes;
    show(name);
}

static void job(const char *name, DWORD status, DWORD position, DWORD pages) {
    JOB_INFO_1W *found = (void *)block.bytes;
    begin(sizeof *found);
    found->JobId = 7;
    found->pPrinterName = text(L"Ward 3 (from desk) in session 2");
    found->pMachineName = text(L"\\\\desk");
    found->pUserName = text(L"somebody");
    found->pDocument = text(L"whichlayer");
    found->pDatatype = text(L"RAW");
    found->Status = status;
    found->Position = position;
    found->PagesPrinted = pages;
    show(name);
}

static void jobs(void) {
    job("job_spooling", JOB_STATUS_SPOOLING, 1, 0);
    job("job_waiting", 0, 2, 0);
    job("job_paused", JOB_STATUS_PAUSED, 1, 0);
    job("job_printing", JOB_STATUS_PRINTING, 1, 0);
    job("job_paper_out", JOB_STATUS_PRINTING | JOB_STATUS_PAPEROUT, 1, 0);
    job("job_offline", JOB_STATUS_OFFLINE, 1, 0);
    job("job_error", JOB_STATUS_ERROR, 1, 0);
    job("job_complete", JOB_STATUS_COMPLETE | JOB_STATUS_RETAINED, 1, 1);
    job("job_printed", JOB_STATUS_PRINTED | JOB_STATUS_RETAINED, 1, 1);
    job("job_deleting", JOB_STATUS_DELETING, 1, 0);
}

static void session(void) {
    WTSINFOW *found = (void *)block.bytes;
    begin(sizeof *found);
    found->State = WTSActive;
    found->SessionId = 2;
    found->LogonTime.QuadPart = 134000000000000000LL;
    found->ConnectTime.QuadPart = 134000000050000000LL;
    found->CurrentTime.QuadPart = 134000000300000000LL;
    show("session");
}

int main(void) {
    counters();
    interfaces();
    connection();
    printer("printer_ready", 0, PRINTER_ATTRIBUTE_LOCAL, 0);
    printer("printer_ill", PRINTER_STATUS_PAPER_OUT | PRINTER_STATUS_OFFLINE, PRINTER_ATTRIBUTE_WORK_OFFLINE, 3);
    printer("printer_hungry", PRINTER_STATUS_PAPER_OUT, PRINTER_ATTRIBUTE_LOCAL, 1);
    printer("printer_keeping", 0, PRINTER_ATTRIBUTE_LOCAL | PRINTER_ATTRIBUTE_KEEPPRINTEDJOBS, 0);
    printers();
    driver("driver_v3", 3, 0);
    driver("driver_v4", 4, PRINTER_DRIVER_XPS);
    jobs();
    session();
    return 0;
}
