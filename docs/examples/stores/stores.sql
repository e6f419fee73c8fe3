-- What a plant's stores keep in one SQLite file; all of it is invented.
CREATE TABLE machines (
  id INTEGER PRIMARY KEY, tag TEXT NOT NULL, name TEXT NOT NULL, line TEXT, made_by TEXT, model TEXT, serial TEXT,
  state TEXT NOT NULL, bought TEXT, price REAL
);
CREATE TABLE parts (
  id INTEGER PRIMARY KEY, number TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL, cost REAL,
  stock REAL, minimum REAL, changed TEXT NOT NULL
);
CREATE TABLE jobs (
  id INTEGER PRIMARY KEY, number TEXT NOT NULL, title TEXT NOT NULL, machine_id INTEGER REFERENCES machines (id),
  kind TEXT, state TEXT NOT NULL, urgency INTEGER NOT NULL, opened TEXT NOT NULL, closed TEXT
);
INSERT INTO machines VALUES
  (1, 'PM1-DR-01', 'Drying cylinder 1', 'PM1', 'Tegelmoor', 'TC-1500', 'T-88123', 'running', '2009-06-30', 182000.0),
  (2, 'PM1-PU-07', 'Vacuum pump 7', 'PM1', 'Haffkamp', 'LEL 300', 'H-4471', 'running', '2014-02-11', 23950.5),
  (3, 'WT-FI-02', 'Sand filter 2', 'Water', NULL, NULL, NULL, 'stopped', NULL, NULL);
INSERT INTO parts VALUES
  (10, 'BRG-6312', 'Bearing 6312 C3', 'pcs', 'spare', 41.9, 12, 4, '2026-03-02T08:15:00Z'),
  (11, 'SEAL-300', 'Shaft seal 300', 'pcs', 'spare', 118.0, 1, 2, '2026-03-04T16:40:00Z'),
  (12, 'OIL-220', 'Gear oil 220, drum', 'l', 'consumable', 6.2, 416, 208, '2026-02-20T10:00:00Z');
INSERT INTO jobs VALUES
  (100, 'J-100', 'Replace bearing, drive side', 1, 'corrective', 'open', 1, '2026-03-01T06:30:00Z', NULL),
  (101, 'J-101', 'Seal leaks', 2, 'corrective', 'working', 2, '2026-03-03T09:00:00Z', NULL),
  (102, 'J-102', 'Yearly check', 1, 'preventive', 'done', 4, '2026-01-10T07:00:00Z', '2026-01-29T13:20:00Z'),
  (103, 'J-103', 'Backwash valve', NULL, NULL, 'open', 3, '2026-03-05T11:11:00Z', NULL);
