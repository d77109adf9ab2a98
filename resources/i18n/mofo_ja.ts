<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name>Display</name>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>%1 B</source>
        <comment>10^9</comment>
        <translation>%1 B</translation>
    </message>
    <message>
        <source>%1 M</source>
        <comment>10^6</comment>
        <translation>%1 M</translation>
    </message>
    <message>
        <source>%1 k</source>
        <comment>10^3</comment>
        <translation>%1 k</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 分 %2 秒</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 時間 %2 分</translation>
    </message>
    <message>
        <source>yesterday %1</source>
        <translation>昨日 %1</translation>
    </message>
    <message>
        <source>draft</source>
        <comment>run state</comment>
        <translation>下書き</translation>
    </message>
    <message>
        <source>queued</source>
        <comment>run state</comment>
        <translation>待機中</translation>
    </message>
    <message>
        <source>starting</source>
        <comment>run state</comment>
        <translation>開始中</translation>
    </message>
    <message>
        <source>running</source>
        <comment>run state</comment>
        <translation>実行中</translation>
    </message>
    <message>
        <source>paused</source>
        <comment>run state</comment>
        <translation>一時停止中</translation>
    </message>
    <message>
        <source>stopping</source>
        <comment>run state</comment>
        <translation>停止処理中</translation>
    </message>
    <message>
        <source>finished</source>
        <comment>run state</comment>
        <translation>完了</translation>
    </message>
    <message>
        <source>stopped</source>
        <comment>run state</comment>
        <translation>停止</translation>
    </message>
    <message>
        <source>failed</source>
        <comment>run state</comment>
        <translation>失敗</translation>
    </message>
    <message>
        <source>lost</source>
        <comment>run state</comment>
        <translation>途絶</translation>
    </message>
    <message>
        <source>load weights</source>
        <comment>phase</comment>
        <translation>重みの読み込み</translation>
    </message>
    <message>
        <source>scan data</source>
        <comment>phase</comment>
        <translation>データの走査</translation>
    </message>
    <message>
        <source>train</source>
        <comment>phase</comment>
        <translation>学習</translation>
    </message>
    <message>
        <source>evaluate</source>
        <comment>phase</comment>
        <translation>評価</translation>
    </message>
    <message>
        <source>save</source>
        <comment>phase</comment>
        <translation>保存</translation>
    </message>
    <message>
        <source>paused</source>
        <comment>phase</comment>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>end</source>
        <comment>phase</comment>
        <translation>終了</translation>
    </message>
    <message>
        <source>tensor (paper)</source>
        <comment>granularity</comment>
        <translation>テンソル（論文）</translation>
    </message>
    <message>
        <source>layer</source>
        <comment>granularity</comment>
        <translation>層</translation>
    </message>
    <message>
        <source>model</source>
        <comment>granularity</comment>
        <translation>モデル全体</translation>
    </message>
    <message>
        <source>module</source>
        <comment>granularity</comment>
        <translation>モジュール</translation>
    </message>
    <message>
        <source>head</source>
        <comment>granularity</comment>
        <translation>ヘッド</translation>
    </message>
    <message>
        <source>row</source>
        <comment>granularity</comment>
        <translation>行</translation>
    </message>
    <message>
        <source>window</source>
        <comment>who acted</comment>
        <translation>ウィンドウ</translation>
    </message>
    <message>
        <source>command line</source>
        <comment>who acted</comment>
        <translation>コマンドライン</translation>
    </message>
    <message>
        <source>engine</source>
        <comment>who acted</comment>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>guard rail</source>
        <comment>who acted</comment>
        <translation>ガードレール</translation>
    </message>
    <message>
        <source>token embedding</source>
        <translation>トークン埋め込み</translation>
    </message>
    <message>
        <source>attention: query</source>
        <translation>アテンション: クエリ</translation>
    </message>
    <message>
        <source>attention: key</source>
        <translation>アテンション: キー</translation>
    </message>
    <message>
        <source>attention: value</source>
        <translation>アテンション: バリュー</translation>
    </message>
    <message>
        <source>attention: output</source>
        <translation>アテンション: 出力</translation>
    </message>
    <message>
        <source>MLP: gate</source>
        <translation>MLP: ゲート</translation>
    </message>
    <message>
        <source>MLP: up</source>
        <translation>MLP: アップ</translation>
    </message>
    <message>
        <source>MLP: down</source>
        <translation>MLP: ダウン</translation>
    </message>
    <message>
        <source>normalisation</source>
        <translation>正規化</translation>
    </message>
    <message>
        <source>output head</source>
        <translation>出力ヘッド</translation>
    </message>
</context>
<context>
    <name>RunCharts</name>
    <message>
        <source>Gradient norm</source>
        <translation>勾配ノルム</translation>
    </message>
    <message>
        <source>before clipping</source>
        <translation>クリップ前</translation>
    </message>
    <message>
        <source>after</source>
        <translation>後</translation>
    </message>
    <message>
        <source>L1, top α</source>
        <translation>L1、上位 α</translation>
    </message>
    <message>
        <source>clip</source>
        <translation>クリップ</translation>
    </message>
    <message>
        <source>trained tokens/s</source>
        <translation>学習トークン/秒</translation>
    </message>
    <message>
        <source>Speed</source>
        <translation>速度</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>トークン/秒</translation>
    </message>
    <message>
        <source>ms</source>
        <translation>ms</translation>
    </message>
    <message>
        <source>Time per step</source>
        <translation>1 ステップの時間</translation>
    </message>
    <message>
        <source>data</source>
        <translation>データ</translation>
    </message>
    <message>
        <source>forward, backward</source>
        <translation>順伝播・逆伝播</translation>
    </message>
    <message>
        <source>optimizer</source>
        <translation>オプティマイザ</translation>
    </message>
    <message>
        <source>statistics</source>
        <translation>統計</translation>
    </message>
    <message>
        <source>whole step</source>
        <translation>ステップ全体</translation>
    </message>
    <message>
        <source>This run has no samples of the machine.</source>
        <translation>この実行には計算機の記録がありません。</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>負荷</translation>
    </message>
    <message>
        <source>processor</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>GPU</translation>
    </message>
    <message>
        <source>GiB</source>
        <translation>GiB</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>メモリ</translation>
    </message>
    <message>
        <source>engine</source>
        <translation>エンジン</translation>
    </message>
    <message>
        <source>host, all</source>
        <translation>ホスト全体</translation>
    </message>
    <message>
        <source>GPU memory</source>
        <translation>GPU メモリ</translation>
    </message>
    <message>
        <source>host memory</source>
        <translation>ホストメモリ</translation>
    </message>
    <message>
        <source>No temperature or power is known of this device.</source>
        <translation>この装置の温度や電力は分かりません。</translation>
    </message>
    <message>
        <source>Temperature and power</source>
        <translation>温度と電力</translation>
    </message>
    <message>
        <source>temperature, °C</source>
        <translation>温度、°C</translation>
    </message>
    <message>
        <source>power, W</source>
        <translation>電力、W</translation>
    </message>
    <message>
        <source>First statistics after step 1</source>
        <translation>最初の統計はステップ 1 の後です</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>median</source>
        <translation>中央値</translation>
    </message>
    <message>
        <source>Churn and coverage</source>
        <translation>入れ替わりと網羅率</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>ever moved</source>
        <translation>一度でも動いた</translation>
    </message>
    <message>
        <source>relative L2</source>
        <translation>相対 L2</translation>
    </message>
    <message>
        <source>Drift by kind</source>
        <translation>種類別ドリフト</translation>
    </message>
    <message>
        <source>whole model</source>
        <translation>モデル全体</translation>
    </message>
    <message>
        <source>guard: drift</source>
        <translation>ガード: ドリフト</translation>
    </message>
</context>
<context>
    <name>Tuning</name>
    <message>
        <source>%1 sent for step %2</source>
        <translation>%1 を送信済み (ステップ %2 から)</translation>
    </message>
    <message>
        <source>%1 sent; taken when the run is resumed</source>
        <translation>%1 を送信済み。再開時に反映されます</translation>
    </message>
    <message>
        <source>%1 sent: no answer for %2</source>
        <translation>%1 を送信済み: %2 応答がありません</translation>
    </message>
    <message>
        <source>%1 sent, no answer yet… %2</source>
        <translation>%1 を送信済み、まだ応答がありません… %2</translation>
    </message>
    <message>
        <source>%1 sent, waiting for step… %2</source>
        <translation>%1 を送信済み、ステップを待っています… %2</translation>
    </message>
    <message>
        <source>nothing</source>
        <comment>an empty value</comment>
        <translation>なし</translation>
    </message>
    <message>
        <source>staged %1, not sent</source>
        <translation>%1 を準備中 (未送信)</translation>
    </message>
    <message>
        <source>sending %1 …</source>
        <translation>%1 を送信中…</translation>
    </message>
    <message>
        <source> · by %1</source>
        <translation> · %1 より</translation>
    </message>
    <message>
        <source>%1 will apply on resume, at step %2</source>
        <translation>%1 は再開時、ステップ %2 から適用されます</translation>
    </message>
    <message>
        <source>%1 since step %2</source>
        <translation>%1 (ステップ %2 から)</translation>
    </message>
    <message>
        <source>applied</source>
        <translation>適用中</translation>
    </message>
    <message>
        <source>✗ refused: %1</source>
        <translation>✗ 拒否: %1</translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>The window of MoFO Workbench: watch and tune fine-tuning runs. Closing it never stops a run.</source>
        <translation>MoFO Workbench のウィンドウ: ファインチューニングの実行を監視し、調整します。閉じても実行は止まりません。</translation>
    </message>
    <message>
        <source>Folder of the workspace.</source>
        <translation>ワークスペースのフォルダー。</translation>
    </message>
    <message>
        <source>Open page Run on this run: id, unique prefix or name.</source>
        <translation>この実行を「実行」ページで開きます: ID、一意に定まる ID の先頭部分、または名前。</translation>
    </message>
    <message>
        <source>light, dark or desktop.</source>
        <translation>light、dark または desktop。</translation>
    </message>
    <message>
        <source>en or ja.</source>
        <translation>en または ja。</translation>
    </message>
    <message>
        <source>For developers: write the window as a PNG and quit.</source>
        <translation>開発者向け: ウィンドウを PNG として保存し、終了します。</translation>
    </message>
    <message>
        <source>With --screenshot: wait this many milliseconds (1500).</source>
        <translation>--screenshot と併用: 待ち時間をミリ秒で指定します（1500）。</translation>
    </message>
    <message>
        <source>With --screenshot: size of the window (1440x900).</source>
        <translation>--screenshot と併用: ウィンドウのサイズ（1440x900）。</translation>
    </message>
</context>
<context>
    <name>mofo::AlphaDial</name>
    <message>
        <source>applied %1</source>
        <translation>適用中 %1</translation>
    </message>
    <message>
        <source>sent %1</source>
        <translation>送信済み %1</translation>
    </message>
    <message>
        <source>staged %1</source>
        <translation>保留 %1</translation>
    </message>
</context>
<context>
    <name>mofo::AlphaStrip</name>
    <message>
        <source>α asked</source>
        <translation>指定した α</translation>
    </message>
    <message>
        <source>%</source>
        <translation>%</translation>
    </message>
    <message>
        <source>asked</source>
        <translation>指定</translation>
    </message>
    <message>
        <source>moved, all</source>
        <translation>動いた割合 (全体)</translation>
    </message>
</context>
<context>
    <name>mofo::BranchDialog</name>
    <message>
        <source>Branch: a child run</source>
        <translation>分岐: 子の実行</translation>
    </message>
    <message>
        <source>Checkpoint to start from</source>
        <translation>始点のチェックポイント</translation>
    </message>
    <message>
        <source>step 0: the pretrained model</source>
        <translation>ステップ 0: 事前学習モデル</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>Name of the child run</source>
        <translation>子の実行の名前</translation>
    </message>
    <message>
        <source>made from this run&apos;s name</source>
        <translation>この実行の名前から付けます</translation>
    </message>
    <message>
        <source>no staged changes</source>
        <translation>準備中の変更なし</translation>
    </message>
    <message>
        <source>with the staged changes: %1</source>
        <translation>準備中の変更を含める: %1</translation>
    </message>
    <message>
        <source>Start with the staged changes</source>
        <translation>準備中の変更で始める</translation>
    </message>
    <message>
        <source>From</source>
        <translation>始点</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>This run stays as it is. The child starts when the device is free.</source>
        <translation>この実行はそのままです。子は装置が空くと始まります。</translation>
    </message>
    <message>
        <source>Branch</source>
        <translation>分岐</translation>
    </message>
    <message>
        <source>Make the child run</source>
        <translation>子の実行を作る</translation>
    </message>
</context>
<context>
    <name>mofo::ChartLegend</name>
    <message>
        <source>%1 (off)</source>
        <translation>%1 (非表示)</translation>
    </message>
    <message>
        <source>%1: click or Space switches it, Alt+click shows it alone</source>
        <translation>%1: クリックかスペースで切り替え、Alt+クリックで単独表示</translation>
    </message>
</context>
<context>
    <name>mofo::ChartTableModel</name>
    <message>
        <source>%1 (taken back)</source>
        <comment>step</comment>
        <translation>%1 (取り消し済み)</translation>
    </message>
    <message>
        <source>step</source>
        <translation>ステップ</translation>
    </message>
</context>
<context>
    <name>mofo::ChartView</name>
    <message>
        <source>%1: values at the cursor</source>
        <translation>%1: カーソル位置の値</translation>
    </message>
    <message>
        <source>%1 could not be written: check folder and free space.</source>
        <translation>%1 に書き込めませんでした。フォルダーと空き容量を確認してください。</translation>
    </message>
    <message>
        <source>%1 has no known ending: name it .png, .svg or .pdf.</source>
        <translation>%1 の拡張子が分かりません。.png、.svg、.pdf のいずれかにしてください。</translation>
    </message>
    <message>
        <source>Save values</source>
        <translation>値を保存</translation>
    </message>
    <message>
        <source>Save image</source>
        <translation>画像を保存</translation>
    </message>
    <message>
        <source>Comma-separated values (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message>
        <source>PNG image (*.png);;SVG drawing (*.svg);;PDF (*.pdf)</source>
        <translation>PNG 画像 (*.png);;SVG 図 (*.svg);;PDF (*.pdf)</translation>
    </message>
    <message>
        <source>Saved as %1.</source>
        <translation>%1 に保存しました。</translation>
    </message>
    <message>
        <source>%1: what can be done</source>
        <translation>%1: できること</translation>
    </message>
    <message>
        <source>What can be done with this chart (Menu key)</source>
        <translation>このグラフでできること (メニューキー)</translation>
    </message>
    <message>
        <source>%1: values of the visible range</source>
        <translation>%1: 表示範囲の値</translation>
    </message>
    <message>
        <source>%1 · step %2 · %3 · by %4, %5</source>
        <comment>letter, step, what, who, when</comment>
        <translation>%1 · ステップ %2 · %3 · %4、%5</translation>
    </message>
    <message>
        <source> · taken after %1 s</source>
        <translation> · %1 秒後に反映</translation>
    </message>
    <message>
        <source>Fit the whole run</source>
        <translation>全体を表示</translation>
    </message>
    <message>
        <source>Follow the newest step</source>
        <translation>最新ステップを追う</translation>
    </message>
    <message>
        <source>Next event</source>
        <translation>次の出来事</translation>
    </message>
    <message>
        <source>Previous event</source>
        <translation>前の出来事</translation>
    </message>
    <message>
        <source>Next NaN or Inf</source>
        <translation>次の NaN または Inf</translation>
    </message>
    <message>
        <source>Set mark A here: read-outs show the difference</source>
        <translation>ここに印 A を置く: 差を表示します</translation>
    </message>
    <message>
        <source>Clear mark A</source>
        <translation>印 A を消す</translation>
    </message>
    <message>
        <source>Values as a table</source>
        <translation>値の表</translation>
    </message>
    <message>
        <source>This chart alone</source>
        <translation>このグラフだけ</translation>
    </message>
    <message>
        <source>Copy image</source>
        <translation>画像をコピー</translation>
    </message>
    <message>
        <source>Copy visible values</source>
        <translation>表示中の値をコピー</translation>
    </message>
    <message>
        <source>Save image: PNG, SVG or PDF …</source>
        <translation>画像を保存: PNG、SVG、PDF…</translation>
    </message>
    <message>
        <source>Save values: CSV …</source>
        <translation>値を保存: CSV…</translation>
    </message>
    <message>
        <source>The chart is on the clipboard, at twice its size.</source>
        <translation>グラフを 2 倍の大きさでコピーしました。</translation>
    </message>
    <message numerus="yes">
        <source>%n line(s) are on the clipboard.</source>
        <translation>
            <numerusform>%n 行をコピーしました。</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>mofo::ConfigTableModel</name>
    <message>
        <source>since step %1, by %2</source>
        <translation>ステップ %1 から（%2）</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>値</translation>
    </message>
    <message>
        <source>Changed while running</source>
        <translation>実行中に変更</translation>
    </message>
    <message>
        <source>Meaning</source>
        <translation>説明</translation>
    </message>
</context>
<context>
    <name>mofo::ControlsPanel</name>
    <message>
        <source>Controls</source>
        <translation>調整</translation>
    </message>
    <message>
        <source>α: share that may move</source>
        <translation>α: 更新を許す割合</translation>
    </message>
    <message>
        <source>Alpha</source>
        <translation>α</translation>
    </message>
    <message>
        <source>Drag, or press the arrow keys: this stages a value, Apply sends it. The tinted band, 5 to 20 %, is advised.</source>
        <translation>ドラッグまたは矢印キーで値を保留し、「適用」で送信します。色の付いた 5～20 % が推奨範囲です。</translation>
    </message>
    <message>
        <source>Alpha in percent</source>
        <translation>α（パーセント）</translation>
    </message>
    <message>
        <source> %</source>
        <translation> %</translation>
    </message>
    <message>
        <source>State of alpha</source>
        <translation>α の状態</translation>
    </message>
    <message>
        <source>Granularity</source>
        <translation>粒度</translation>
    </message>
    <message>
        <source>State of the granularity</source>
        <translation>粒度の状態</translation>
    </message>
    <message>
        <source>Staged changes</source>
        <translation>保留中の変更</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>適用</translation>
    </message>
    <message>
        <source>Apply the staged changes</source>
        <translation>保留中の変更を適用</translation>
    </message>
    <message>
        <source>Sends all staged changes as one command; they take effect at one step (Ctrl+Return)</source>
        <translation>保留中の変更をすべて 1 つのコマンドとして送信します。変更は同じステップで有効になります（Ctrl+Return）</translation>
    </message>
    <message>
        <source>Discard</source>
        <translation>破棄</translation>
    </message>
    <message>
        <source>Discard the staged changes</source>
        <translation>保留中の変更を破棄</translation>
    </message>
    <message>
        <source>Why nothing was sent</source>
        <translation>送信されなかった理由</translation>
    </message>
    <message>
        <source>≈ %1 of %2 filtered coordinates per step</source>
        <translation>≈ ステップごとにフィルター対象 %2 座標中 %1</translation>
    </message>
    <message>
        <source>No run is shown</source>
        <translation>表示中の実行はありません</translation>
    </message>
    <message>
        <source>This run trains with AdamW: every coordinate moves</source>
        <translation>この実行は AdamW で学習しています: すべての座標が更新されます</translation>
    </message>
    <message>
        <source>This run has ended</source>
        <translation>この実行は終了しています</translation>
    </message>
    <message>
        <source>Staged changes: %1</source>
        <translation>保留中の変更: %1 件</translation>
    </message>
    <message>
        <source>No staged changes</source>
        <translation>保留中の変更はありません</translation>
    </message>
    <message>
        <source>Guard rails</source>
        <translation>ガードレール</translation>
    </message>
    <message>
        <source>More</source>
        <translation>その他</translation>
    </message>
    <message>
        <source>all filtered tensors compete</source>
        <translation>選別対象の全テンソルで競う</translation>
    </message>
    <message>
        <source>the tensors of one layer compete</source>
        <translation>1 層のテンソル同士で競う</translation>
    </message>
    <message>
        <source>attention and MLP of one layer apart</source>
        <translation>1 層の注意と MLP を別々に</translation>
    </message>
    <message>
        <source>each tensor by itself, as in the paper</source>
        <translation>テンソルごと (論文どおり)</translation>
    </message>
    <message>
        <source>each attention head; other tensors as they are</source>
        <translation>注意ヘッドごと。他のテンソルはそのまま</translation>
    </message>
    <message>
        <source>each output row</source>
        <translation>出力の行ごと</translation>
    </message>
    <message>
        <source>N coordinates in a row</source>
        <translation>連続した N 座標ごと</translation>
    </message>
    <message>
        <source>each tensor in S equal parts</source>
        <translation>各テンソルを S 等分</translation>
    </message>
    <message>
        <source>N of the granularity</source>
        <translation>粒度の N</translation>
    </message>
    <message>
        <source>Apply at a step</source>
        <translation>ステップを指定して適用</translation>
    </message>
    <message>
        <source>at…</source>
        <translation>指定…</translation>
    </message>
    <message>
        <source>Apply at a step that you name</source>
        <translation>指定したステップで適用します</translation>
    </message>
    <message>
        <source>Step at which the staged changes take effect</source>
        <translation>準備中の変更が効き始めるステップ</translation>
    </message>
    <message>
        <source>step </source>
        <translation>ステップ </translation>
    </message>
    <message>
        <source>Apply then</source>
        <translation>そこで適用</translation>
    </message>
    <message>
        <source>Apply the staged changes at that step</source>
        <translation>準備中の変更をそのステップで適用</translation>
    </message>
    <message numerus="yes">
        <source>Guard rails: %n on</source>
        <translation>
            <numerusform>ガードレール: %n 個が有効</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>mofo::EffectCard</name>
    <message>
        <source>Before and after the last change</source>
        <translation>直近の変更の前後</translation>
    </message>
    <message>
        <source>%1 %2 → %3</source>
        <comment>config key, old and new value</comment>
        <translation>%1 %2 → %3</translation>
    </message>
    <message>
        <source>%1, from step %2</source>
        <translation>%1 (ステップ %2 から)</translation>
    </message>
    <message>
        <source>before</source>
        <translation>前</translation>
    </message>
    <message>
        <source>after</source>
        <translation>後</translation>
    </message>
    <message>
        <source>mean loss</source>
        <translation>平均損失</translation>
    </message>
    <message>
        <source>loss per 100 steps</source>
        <translation>100 ステップあたりの損失</translation>
    </message>
    <message>
        <source>drift per step</source>
        <translation>1 ステップのドリフト</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Too early: %1 of %2 steps</source>
        <translation>まだ早い: %2 ステップ中 %1</translation>
    </message>
    <message>
        <source>%1 steps before, %2 after; beside each other, not because of each other.</source>
        <translation>前 %1、後 %2 ステップ。並べただけで、因果は示しません。</translation>
    </message>
</context>
<context>
    <name>mofo::EventLogModel</name>
    <message>
        <source>%1 → %2</source>
        <comment>old to new value</comment>
        <translation>%1 → %2</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>時刻</translation>
    </message>
    <message>
        <source>Who</source>
        <translation>操作元</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>変更</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>詳細</translation>
    </message>
</context>
<context>
    <name>mofo::HistogramPlot</name>
    <message>
        <source>Histogram of |m|</source>
        <translation>|m| のヒストグラム</translation>
    </message>
    <message>
        <source>threshold %1</source>
        <translation>しきい値 %1</translation>
    </message>
    <message>
        <source>%1 coordinates with %2 ≤ |m| &lt; %3</source>
        <translation>%2 ≤ |m| &lt; %3 の座標 %1 個</translation>
    </message>
</context>
<context>
    <name>mofo::KeyRow</name>
    <message>
        <source>State of %1</source>
        <translation>%1 の状態</translation>
    </message>
    <message>
        <source>✗ %1</source>
        <translation>✗ %1</translation>
    </message>
</context>
<context>
    <name>mofo::KindTableModel</name>
    <message>
        <source>%1: not filtered, every coordinate may move</source>
        <translation>%1: フィルター対象外、すべての座標が更新される可能性があります</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>更新率</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>: idle rows, the mask chose %1</source>
        <translation>: 動かない行あり、マスクは %1 を選択</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>層</translation>
    </message>
</context>
<context>
    <name>mofo::LearningRateChart</name>
    <message>
        <source>Learning rate</source>
        <translation>学習率</translation>
    </message>
    <message>
        <source>used</source>
        <translation>実際</translation>
    </message>
    <message>
        <source>planned</source>
        <translation>予定</translation>
    </message>
    <message>
        <source>if applied</source>
        <translation>適用した場合</translation>
    </message>
</context>
<context>
    <name>mofo::LineChart</name>
    <message>
        <source>%1: series</source>
        <translation>%1: 系列</translation>
    </message>
    <message>
        <source>log</source>
        <translation>対数</translation>
    </message>
    <message>
        <source>Logarithmic axis (L)</source>
        <translation>対数軸 (L)</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <comment>chart, what its button switches</comment>
        <translation>%1: %2</translation>
    </message>
    <message>
        <source>taken back</source>
        <translation>取り消し済み</translation>
    </message>
    <message>
        <source>%1 NaN</source>
        <translation>NaN %1 個</translation>
    </message>
    <message>
        <source>%1 Inf</source>
        <translation>Inf %1 個</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>%1, low</source>
        <translation>%1、下限</translation>
    </message>
    <message>
        <source>%1, high</source>
        <translation>%1、上限</translation>
    </message>
    <message>
        <source>Logarithmic axis	L</source>
        <translation>対数軸	L</translation>
    </message>
</context>
<context>
    <name>mofo::LossChart</name>
    <message>
        <source>raw</source>
        <translation>実測値</translation>
    </message>
    <message>
        <source>smoothed</source>
        <translation>平滑化</translation>
    </message>
    <message>
        <source>held out</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Smoothing of the loss curve</source>
        <translation>損失曲線の平滑化</translation>
    </message>
    <message>
        <source>smooth </source>
        <translation>平滑化 </translation>
    </message>
    <message>
        <source>nats/token</source>
        <translation>nat/トークン</translation>
    </message>
    <message>
        <source>guard: held-out loss</source>
        <translation>ガード: 検証損失</translation>
    </message>
    <message>
        <source>guard: above the first</source>
        <translation>ガード: 最初より上</translation>
    </message>
    <message>
        <source>Weight of the past in the thick curve: 0 follows every step, 0.99 is very smooth (S)</source>
        <translation>太線での過去の重み: 0 は各ステップに追従、0.99 は非常に滑らか (S)</translation>
    </message>
    <message>
        <source>The loss of each step, thin</source>
        <translation>各ステップの損失 (細線)</translation>
    </message>
    <message>
        <source>clip p99</source>
        <translation>上位 1 % を除く</translation>
    </message>
    <message>
        <source>Leave the highest hundredth out of the range</source>
        <translation>最も高い 1 % を範囲から外します</translation>
    </message>
    <message>
        <source>Smoothing	S</source>
        <translation>平滑化	S</translation>
    </message>
</context>
<context>
    <name>mofo::MainWindow</name>
    <message>
        <source>Pages</source>
        <translation>ページ</translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <comment>page and its shortcut</comment>
        <translation>%1（%2）</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>実行一覧</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>実行</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>ファイル(&amp;F)</translation>
    </message>
    <message>
        <source>Close window (training goes on)</source>
        <translation>ウィンドウを閉じる（学習は続行）</translation>
    </message>
    <message>
        <source>Quit (training goes on)</source>
        <translation>終了（学習は続行）</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>表示(&amp;V)</translation>
    </message>
    <message>
        <source>Find a run</source>
        <translation>実行を検索</translation>
    </message>
    <message>
        <source>Next pane</source>
        <translation>次のペイン</translation>
    </message>
    <message>
        <source>Previous pane</source>
        <translation>前のペイン</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>テーマ</translation>
    </message>
    <message>
        <source>As the desktop</source>
        <translation>デスクトップに合わせる</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>ライト</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>ダーク</translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation>実行(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Chart</source>
        <translation>チャート(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>ヘルプ(&amp;H)</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>キー一覧</translation>
    </message>
    <message>
        <source>About MoFO Workbench</source>
        <translation>MoFO Workbench について</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>%1 %2 of %3</source>
        <translation>%1 %2 / %3</translation>
    </message>
    <message>
        <source>Trained tokens per second</source>
        <translation>1 秒あたりの学習トークン数</translation>
    </message>
    <message>
        <source>%1 tokens/s</source>
        <translation>%1 トークン/秒</translation>
    </message>
    <message>
        <source>Time left</source>
        <translation>残り時間</translation>
    </message>
    <message>
        <source>%1 left, %2</source>
        <comment>duration, time of day</comment>
        <translation>残り %1、%2 終了予定</translation>
    </message>
    <message>
        <source>Age of the newest news</source>
        <translation>最新の報告からの経過時間</translation>
    </message>
    <message>
        <source>no news for %1</source>
        <translation>報告なし: %1</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>ワークスペース</translation>
    </message>
    <message>
        <source>No run shown</source>
        <translation>表示中の実行なし</translation>
    </message>
    <message>
        <source>%1 %2 of %3</source>
        <comment>state, step, steps in all</comment>
        <translation>%1 %2 / %3</translation>
    </message>
    <message>
        <source>Trained tokens per second, mean of the last 30 s of training</source>
        <translation>1 秒あたりの学習トークン数（直近 30 秒の学習の平均）</translation>
    </message>
    <message>
        <source>-- left</source>
        <comment>time left is not known yet</comment>
        <translation>残り --</translation>
    </message>
    <message>
        <source>⚠ no news for %1</source>
        <translation>⚠ 報告なし: %1</translation>
    </message>
    <message>
        <source>newest %1 ago</source>
        <translation>最新の報告: %1 前</translation>
    </message>
    <message>
        <source>MoFO Workbench</source>
        <translation>MoFO Workbench</translation>
    </message>
    <message>
        <source>%1, step %2 of %3 – MoFO Workbench</source>
        <translation>%1、ステップ %2 / %3 – MoFO Workbench</translation>
    </message>
    <message>
        <source>%1, step %2 – MoFO Workbench</source>
        <translation>%1、ステップ %2 – MoFO Workbench</translation>
    </message>
    <message>
        <source>Find a key</source>
        <translation>キーを検索</translation>
    </message>
    <message>
        <source>Find</source>
        <translation>検索</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>操作</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>In a chart: cursor one step, one tenth of the view</source>
        <translation>チャート: カーソルを 1 ステップ、表示範囲の 1/10 移動</translation>
    </message>
    <message>
        <source>Left/Right, Shift+Left/Right</source>
        <translation>←/→、Shift+←/→</translation>
    </message>
    <message>
        <source>In a chart: first step, newest step</source>
        <translation>チャート: 最初のステップ、最新のステップ</translation>
    </message>
    <message>
        <source>Home, End</source>
        <translation>Home、End</translation>
    </message>
    <message>
        <source>In a chart: zoom in, zoom out, whole run</source>
        <translation>チャート: 拡大、縮小、実行全体</translation>
    </message>
    <message>
        <source>+, -, 0</source>
        <translation>+、-、0</translation>
    </message>
    <message>
        <source>In a chart: follow, logarithmic, copy image</source>
        <translation>チャート: 追従、対数、画像をコピー</translation>
    </message>
    <message>
        <source>F, L, C</source>
        <translation>F、L、C</translation>
    </message>
    <message>
        <source>In a chart: next event, previous event, next NaN</source>
        <translation>チャート: 次のイベント、前のイベント、次の NaN</translation>
    </message>
    <message>
        <source>E, Shift+E, N</source>
        <translation>E、Shift+E、N</translation>
    </message>
    <message>
        <source>On the dial: 1 % and 5 % of the scale, discard</source>
        <translation>ダイヤル: 目盛りの 1 % と 5 %、破棄</translation>
    </message>
    <message>
        <source>Up/Down, PageUp/PageDown, Esc</source>
        <translation>↑/↓、PageUp/PageDown、Esc</translation>
    </message>
    <message>
        <source>Tabs below the charts</source>
        <translation>チャートの下のタブ</translation>
    </message>
    <message>
        <source>Alt+1, Alt+2, Alt+3</source>
        <translation>Alt+1、Alt+2、Alt+3</translation>
    </message>
    <message>
        <source>MoFO Workbench %1

Fine-tunes language models with MoFO and shows what they keep.
This program is under the GNU General Public License, version 3 or later (it uses QCustomPlot).
Qt %2</source>
        <translation>MoFO Workbench %1

MoFO で言語モデルをファインチューニングし、モデルが何を保持するかを示します。
このプログラムには GNU General Public License バージョン 3 以降が適用されます（QCustomPlot を使用しています）。
Qt %2</translation>
    </message>
</context>
<context>
    <name>mofo::MapChart</name>
    <message>
        <source>Selection</source>
        <translation>選択マップ</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>share that moved, by layer</source>
        <translation>更新された割合（層別）</translation>
    </message>
    <message>
        <source>distance from the pretrained weights, by layer</source>
        <translation>事前学習済みの重みからの距離（層別）</translation>
    </message>
    <message>
        <source>step %1 · %2 · %3 · rank %4 of %5</source>
        <translation>ステップ %1 · %2 · %3 · 順位 %4 / %5</translation>
    </message>
    <message>
        <source> · not filtered</source>
        <translation> · フィルター対象外</translation>
    </message>
    <message>
        <source>step %1 · %2 of the model moved</source>
        <translation>ステップ %1 · モデルの %2 が更新</translation>
    </message>
    <message>
        <source>step %1 · whole model %2, relative L2</source>
        <translation>ステップ %1 · モデル全体 %2、相対 L2</translation>
    </message>
    <message>
        <source>moved share</source>
        <translation>動いた割合</translation>
    </message>
    <message>
        <source>mask share</source>
        <translation>マスクの割合</translation>
    </message>
    <message>
        <source>threshold of |m|</source>
        <translation>|m| のしきい値</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>ever moved</source>
        <translation>一度でも動いた</translation>
    </message>
    <message>
        <source>concentration</source>
        <translation>集中度</translation>
    </message>
    <message>
        <source>relative L2</source>
        <translation>相対 L2</translation>
    </message>
    <message>
        <source>L2</source>
        <translation>L2</translation>
    </message>
    <message>
        <source>L1</source>
        <translation>L1</translation>
    </message>
    <message>
        <source>largest change (L∞)</source>
        <translation>最大の変化 (L∞)</translation>
    </message>
    <message>
        <source>changed, fp32</source>
        <translation>変化した割合 (fp32)</translation>
    </message>
    <message>
        <source>changed, as bf16</source>
        <translation>変化した割合 (bf16)</translation>
    </message>
    <message>
        <source>%1: measure</source>
        <translation>%1: 量</translation>
    </message>
    <message>
        <source>How far a row is from its pretrained weights</source>
        <translation>各行が事前学習の重みからどれだけ離れたか</translation>
    </message>
    <message>
        <source>Moved: selected, and momentum not zero. Mask: selected. Concentration: share of the update over share of the size.</source>
        <translation>動いた: 選択され、モメンタムが 0 でない。マスク: 選択された。集中度: 更新量の割合 ÷ 大きさの割合。</translation>
    </message>
    <message>
        <source>Rows of both maps</source>
        <translation>両マップの行</translation>
    </message>
    <message>
        <source>rows: layers</source>
        <translation>行: 層</translation>
    </message>
    <message>
        <source>rows: kinds</source>
        <translation>行: 種類</translation>
    </message>
    <message>
        <source> · idle rows</source>
        <translation> · 動かない行あり</translation>
    </message>
    <message>
        <source>Open or close the row	Enter</source>
        <translation>行を開く・閉じる	Enter</translation>
    </message>
    <message>
        <source>Close all rows</source>
        <translation>すべての行を閉じる</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>量</translation>
    </message>
</context>
<context>
    <name>mofo::MessageBar</name>
    <message>
        <source>Message</source>
        <translation>メッセージ</translation>
    </message>
    <message>
        <source>What can be done</source>
        <translation>可能な操作</translation>
    </message>
</context>
<context>
    <name>mofo::ProbeTableModel</name>
    <message>
        <source>%1 … %2</source>
        <comment>95 % interval</comment>
        <translation>%1 … %2</translation>
    </message>
    <message>
        <source>Probe</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>量</translation>
    </message>
    <message>
        <source>Base</source>
        <translation>元</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>現在</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>差</translation>
    </message>
    <message>
        <source>95 % interval</source>
        <translation>95 % 区間</translation>
    </message>
    <message>
        <source>Items</source>
        <translation>問題数</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>費用</translation>
    </message>
    <message>
        <source>Last step</source>
        <translation>最終ステップ</translation>
    </message>
</context>
<context>
    <name>mofo::ProbesChart</name>
    <message>
        <source>Probes</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>difference to the base</source>
        <translation>元との差</translation>
    </message>
    <message>
        <source>No probe has been measured in this run. Probes ask the model the same questions while it trains, and show what it forgets.</source>
        <translation>この実行ではまだプローブを測っていません。プローブは学習中のモデルに同じ問いを出し、忘却を示します。</translation>
    </message>
    <message>
        <source>base</source>
        <translation>元</translation>
    </message>
</context>
<context>
    <name>mofo::RewindDialog</name>
    <message>
        <source>Undo to a checkpoint</source>
        <translation>チェックポイントまで戻す</translation>
    </message>
    <message>
        <source>Checkpoints</source>
        <translation>チェックポイント</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Held out</source>
        <translation>検証損失</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>大きさ</translation>
    </message>
    <message>
        <source>Verified</source>
        <translation>検証済み</translation>
    </message>
    <message>
        <source>What would be taken back</source>
        <translation>取り消される内容</translation>
    </message>
    <message>
        <source>Rewind</source>
        <translation>巻き戻す</translation>
    </message>
    <message>
        <source>Rewind to the chosen checkpoint</source>
        <translation>選んだチェックポイントへ巻き戻す</translation>
    </message>
    <message>
        <source>✓ read back</source>
        <translation>✓ 読み戻し済み</translation>
    </message>
    <message>
        <source>no</source>
        <translation>いいえ</translation>
    </message>
    <message>
        <source>This run has no checkpoint to go back to. Ctrl+S writes one at the next step.</source>
        <translation>戻れるチェックポイントがありません。Ctrl+S で次のステップに書き出せます。</translation>
    </message>
    <message>
        <source>Nothing has been done since step %1.</source>
        <translation>ステップ %1 の後は何も行われていません。</translation>
    </message>
    <message>
        <source>Steps %1 to %2 are taken back</source>
        <translation>ステップ %1 から %2 までを取り消します</translation>
    </message>
    <message numerus="yes">
        <source>, with %n change(s)</source>
        <translation>
            <numerusform>、変更 %n 件を含む</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>, with %n checkpoint(s)</source>
        <translation>
            <numerusform>、チェックポイント %n 個を含む</numerusform>
        </translation>
    </message>
    <message>
        <source>. They stay on the charts, hatched; training goes on from step %1. To keep both lines, branch instead.</source>
        <translation>。グラフには斜線で残り、学習はステップ %1 から続きます。両方を残すには分岐してください。</translation>
    </message>
</context>
<context>
    <name>mofo::RunData</name>
    <message>
        <source>token embedding</source>
        <translation>トークン埋め込み</translation>
    </message>
    <message>
        <source>layer %1</source>
        <translation>層 %1</translation>
    </message>
    <message>
        <source>final norm</source>
        <translation>最終正規化</translation>
    </message>
    <message>
        <source>output head</source>
        <translation>出力ヘッド</translation>
    </message>
    <message>
        <source>%1: %2 → %3</source>
        <comment>config key: old to new value</comment>
        <translation>%1: %2 → %3</translation>
    </message>
</context>
<context>
    <name>mofo::RunHeader</name>
    <message>
        <source>The run on screen</source>
        <translation>表示中の実行</translation>
    </message>
    <message>
        <source>Name of the run</source>
        <translation>実行の名前</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>Steps done</source>
        <translation>完了したステップ</translation>
    </message>
    <message>
        <source>Phase</source>
        <translation>フェーズ</translation>
    </message>
    <message>
        <source>No run</source>
        <translation>実行なし</translation>
    </message>
    <message>
        <source>step %1 of %2</source>
        <translation>ステップ %1 / %2</translation>
    </message>
    <message>
        <source>step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>Pausing …</source>
        <translation>一時停止処理中…</translation>
    </message>
    <message>
        <source>Resuming …</source>
        <translation>再開処理中…</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>%1 (F9)</source>
        <translation>%1（F9）</translation>
    </message>
    <message>
        <source>This run has ended: nothing to pause or resume</source>
        <translation>この実行は終了しています: 一時停止も再開もできません</translation>
    </message>
    <message>
        <source>Stopping …</source>
        <translation>停止処理中…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stop after this step, with a checkpoint (Shift+F9)</source>
        <translation>このステップの後でチェックポイントを保存して停止します（Shift+F9）</translation>
    </message>
    <message>
        <source>Nothing to stop</source>
        <translation>停止できる実行はありません</translation>
    </message>
    <message>
        <source>epoch %1 of %2</source>
        <translation>エポック %1 / %2</translation>
    </message>
    <message>
        <source>epoch %1</source>
        <translation>エポック %1</translation>
    </message>
    <message>
        <source>best held out %1 @%2</source>
        <translation>検証損失の最良 %1 @%2</translation>
    </message>
    <message>
        <source>exact</source>
        <translation>厳密</translation>
    </message>
    <message>
        <source>not exact: %1</source>
        <translation>厳密でない: %1</translation>
    </message>
    <message>
        <source>No engine is at work on this run</source>
        <translation>この実行で動いているエンジンはありません</translation>
    </message>
    <message>
        <source>A checkpoint is on its way</source>
        <translation>チェックポイントを待っています</translation>
    </message>
    <message>
        <source>Write a checkpoint after this step (Ctrl+S)</source>
        <translation>このステップの後にチェックポイントを書く (Ctrl+S)</translation>
    </message>
    <message>
        <source>An evaluation is on its way</source>
        <translation>評価を待っています</translation>
    </message>
    <message>
        <source>Measure the held-out rows after this step (F8)</source>
        <translation>このステップの後に検証用の行を測る (F8)</translation>
    </message>
    <message>
        <source>Go back to a checkpoint (Ctrl+Alt+Z)</source>
        <translation>チェックポイントまで戻る (Ctrl+Alt+Z)</translation>
    </message>
    <message>
        <source>Start a child run from a checkpoint (Ctrl+B)</source>
        <translation>チェックポイントから子の実行を始める (Ctrl+B)</translation>
    </message>
</context>
<context>
    <name>mofo::RunPage</name>
    <message>
        <source>Run</source>
        <translation>実行</translation>
    </message>
    <message>
        <source>Controls</source>
        <translation>調整</translation>
    </message>
    <message>
        <source>At one step</source>
        <translation>ステップの詳細</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Apply staged changes</source>
        <translation>保留中の変更を適用</translation>
    </message>
    <message>
        <source>Lower alpha (stages)</source>
        <translation>α を下げる（保留）</translation>
    </message>
    <message>
        <source>Raise alpha (stages)</source>
        <translation>α を上げる（保留）</translation>
    </message>
    <message>
        <source>Follow</source>
        <translation>追従</translation>
    </message>
    <message>
        <source>Keep the newest step in view (F in a chart)</source>
        <translation>常に最新のステップを表示します（チャートでは F）</translation>
    </message>
    <message>
        <source>Fit</source>
        <translation>全体</translation>
    </message>
    <message>
        <source>Show the whole run (0 in a chart)</source>
        <translation>実行全体を表示します（チャートでは 0）</translation>
    </message>
    <message>
        <source>Bottom panel</source>
        <translation>下部パネル</translation>
    </message>
    <message>
        <source>Step panel</source>
        <translation>ステップパネル</translation>
    </message>
    <message>
        <source>Progress of the phase</source>
        <translation>フェーズの進行状況</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>The engine of this run ended without saying so at step %1.</source>
        <translation>この実行のエンジンは、ステップ %1 で終了を報告せずに終わりました。</translation>
    </message>
    <message>
        <source>no reason was given</source>
        <translation>理由は示されていません</translation>
    </message>
    <message>
        <source>This run failed at step %1: %2</source>
        <translation>この実行はステップ %1 で失敗しました: %2</translation>
    </message>
    <message>
        <source>This run was stopped at step %1.</source>
        <translation>この実行はステップ %1 で停止されました。</translation>
    </message>
    <message>
        <source>No news from the engine for %1. It may be busy or stopped; changes wait until it answers.</source>
        <translation>エンジンからの報告が %1 ありません。処理中か、停止している可能性があります。変更は応答があるまで保留されます。</translation>
    </message>
    <message>
        <source>Turn alpha now: drag the dial or press Ctrl+[ / Ctrl+], then Apply (Ctrl+Return).</source>
        <translation>α を今すぐ調整できます: ダイヤルをドラッグするか Ctrl+[ / Ctrl+] を押し、「適用」（Ctrl+Return）で送信します。</translation>
    </message>
    <message>
        <source>No run is shown. Choose one on page Runs (Ctrl+1).</source>
        <translation>表示中の実行はありません。「実行一覧」ページ（Ctrl+1）で選択してください。</translation>
    </message>
    <message>
        <source>Reading the run …</source>
        <translation>実行を読み込み中…</translation>
    </message>
    <message>
        <source>Queued: starts when the device is free.</source>
        <translation>待機中: デバイスが空き次第開始します。</translation>
    </message>
    <message>
        <source>starting: %1 …</source>
        <comment>phase</comment>
        <translation>開始処理中: %1…</translation>
    </message>
    <message>
        <source>starting: the engine has not reported yet …</source>
        <translation>開始処理中: エンジンからの報告はまだありません…</translation>
    </message>
    <message>
        <source>What was done</source>
        <translation>行ったこと</translation>
    </message>
    <message>
        <source>The child run %1 is queued; it is listed below this run on page Runs.</source>
        <translation>子の実行 %1 を待ち行列に入れました。「実行一覧」ページでこの実行の下に並びます。</translation>
    </message>
    <message>
        <source>Apply staged changes at a step …</source>
        <translation>準備中の変更をステップ指定で適用…</translation>
    </message>
    <message>
        <source>Undo the newest change</source>
        <translation>直近の変更を取り消す</translation>
    </message>
    <message>
        <source>Checkpoint</source>
        <translation>チェックポイント</translation>
    </message>
    <message>
        <source>Probe now</source>
        <translation>今すぐ評価</translation>
    </message>
    <message>
        <source>Undo to …</source>
        <translation>戻す…</translation>
    </message>
    <message>
        <source>Branch</source>
        <translation>分岐</translation>
    </message>
    <message>
        <source>Stop without saving</source>
        <translation>保存せずに停止</translation>
    </message>
    <message>
        <source>This chart alone</source>
        <translation>このグラフだけ</translation>
    </message>
    <message>
        <source>What the x axis counts</source>
        <translation>x 軸の単位</translation>
    </message>
    <message>
        <source>What the x axis of all charts counts</source>
        <translation>全グラフの x 軸の単位</translation>
    </message>
    <message>
        <source>x: step</source>
        <translation>x: ステップ</translation>
    </message>
    <message>
        <source>x: epoch</source>
        <translation>x: エポック</translation>
    </message>
    <message>
        <source>x: tokens</source>
        <translation>x: トークン</translation>
    </message>
    <message>
        <source>x: time</source>
        <translation>x: 時間</translation>
    </message>
    <message>
        <source>Which charts are shown</source>
        <translation>表示するグラフ</translation>
    </message>
    <message>
        <source>Charts</source>
        <translation>グラフ</translation>
    </message>
    <message>
        <source>Keep it</source>
        <translation>そのまま</translation>
    </message>
    <message>
        <source>Keep the change</source>
        <translation>変更をそのままにする</translation>
    </message>
    <message>
        <source>%1 went %2 → %3</source>
        <comment>config key, old and new value</comment>
        <translation>%1 を %2 → %3 に変更</translation>
    </message>
    <message>
        <source>%1 at step %2.</source>
        <translation>%1 (ステップ %2)。</translation>
    </message>
    <message>
        <source>Set back to %1, from the next step</source>
        <translation>次のステップから %1 に戻す</translation>
    </message>
    <message>
        <source>Rewind to %1</source>
        <translation>%1 へ巻き戻す</translation>
    </message>
    <message>
        <source>No checkpoint before it</source>
        <translation>それ以前のチェックポイントなし</translation>
    </message>
    <message>
        <source>There is no live change to take back.</source>
        <translation>取り消せる変更がありません。</translation>
    </message>
    <message>
        <source>There is no checkpoint to go on from.</source>
        <translation>続行できるチェックポイントがありません。</translation>
    </message>
    <message>
        <source>Nothing after checkpoint %1 is kept.</source>
        <translation>チェックポイント %1 より後は残りません。</translation>
    </message>
    <message>
        <source>Go on with micro-batch %1</source>
        <translation>マイクロバッチ %1 で続ける</translation>
    </message>
</context>
<context>
    <name>mofo::RunTableModel</name>
    <message>
        <source>%1 / %2</source>
        <comment>step of total</comment>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>Run %1
%2</source>
        <translation>実行 %1
%2</translation>
    </message>
    <message>
        <source>Share of the filtered coordinates that may move at each step</source>
        <translation>各ステップで更新を許すフィルター対象座標の割合</translation>
    </message>
    <message>
        <source>How the filtered parameters are divided; each part selects on its own</source>
        <translation>フィルター対象パラメーターの分割方法。各部分が個別に選択します</translation>
    </message>
    <message>
        <source>Newest training loss, nats per trained token</source>
        <translation>最新の学習損失（nat/学習トークン）</translation>
    </message>
    <message>
        <source>Newest loss on held-out rows, nats per token</source>
        <translation>検証用の行に対する最新の損失（nat/トークン）</translation>
    </message>
    <message>
        <source>Distance of the whole model from its pretrained weights, relative L2</source>
        <translation>事前学習済みの重みからのモデル全体の距離、相対 L2</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>α</source>
        <translation>α</translation>
    </message>
    <message>
        <source>Granularity</source>
        <translation>粒度</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Step</source>
        <translation>ステップ</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Eval</source>
        <translation>検証</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>開始日時</translation>
    </message>
</context>
<context>
    <name>mofo::RunTables</name>
    <message>
        <source>Find</source>
        <translation>検索</translation>
    </message>
    <message>
        <source>Tables</source>
        <translation>表</translation>
    </message>
    <message>
        <source>&amp;1 %1</source>
        <translation>&amp;1 %1</translation>
    </message>
    <message>
        <source>Probes</source>
        <translation>プローブ</translation>
    </message>
    <message>
        <source>&amp;2 %1</source>
        <translation>&amp;2 %1</translation>
    </message>
    <message>
        <source>Events</source>
        <translation>出来事</translation>
    </message>
    <message>
        <source>&amp;3 %1</source>
        <translation>&amp;3 %1</translation>
    </message>
    <message>
        <source>Tensors</source>
        <translation>テンソル</translation>
    </message>
    <message>
        <source>&amp;4 %1</source>
        <translation>&amp;4 %1</translation>
    </message>
    <message>
        <source>Machine</source>
        <translation>計算機</translation>
    </message>
    <message>
        <source>&amp;5 %1</source>
        <translation>&amp;5 %1</translation>
    </message>
    <message>
        <source>Samples</source>
        <translation>回答例</translation>
    </message>
    <message>
        <source>&amp;6 %1</source>
        <translation>&amp;6 %1</translation>
    </message>
    <message>
        <source>Config</source>
        <translation>設定値</translation>
    </message>
    <message>
        <source>&amp;7 %1</source>
        <translation>&amp;7 %1</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>ログ</translation>
    </message>
    <message>
        <source>Find a tensor</source>
        <translation>テンソルを検索</translation>
    </message>
    <message>
        <source>No sample has been answered in this run. Fixed prompts are answered at each probe, and stand here side by side, step by step.</source>
        <translation>この実行にはまだ回答例がありません。決まった問いへの答えが、プローブのたびにステップごとに並びます。</translation>
    </message>
    <message>
        <source>Find a key</source>
        <translation>キーを検索</translation>
    </message>
    <message>
        <source>Log of the engine</source>
        <translation>エンジンのログ</translation>
    </message>
    <message>
        <source>Find in the log</source>
        <translation>ログ内を検索</translation>
    </message>
    <message>
        <source>Which lines of the log</source>
        <translation>ログのどの行</translation>
    </message>
    <message>
        <source>all lines</source>
        <translation>すべての行</translation>
    </message>
    <message>
        <source>warnings and errors</source>
        <translation>警告とエラー</translation>
    </message>
    <message>
        <source>The engine has written nothing to its log.</source>
        <translation>エンジンはログに何も書いていません。</translation>
    </message>
    <message>
        <source>No line of the log matches.</source>
        <translation>一致するログの行がありません。</translation>
    </message>
</context>
<context>
    <name>mofo::RunsPage</name>
    <message>
        <source>Runs</source>
        <translation>実行一覧</translation>
    </message>
    <message>
        <source>Find runs</source>
        <translation>実行を検索</translation>
    </message>
    <message>
        <source>Find: words of name, state, model …</source>
        <translation>検索: 名前、状態、モデルの語句…</translation>
    </message>
    <message>
        <source>Number of runs</source>
        <translation>実行の数</translation>
    </message>
    <message>
        <source>Command that starts a run</source>
        <translation>実行を開始するコマンド</translation>
    </message>
    <message>
        <source>Clear filter</source>
        <translation>フィルターを解除</translation>
    </message>
    <message>
        <source>Runs: %1</source>
        <translation>実行: %1 件</translation>
    </message>
    <message>
        <source>%1 of %2 runs</source>
        <translation>実行: %2 件中 %1 件</translation>
    </message>
    <message>
        <source>There is no workspace in %1 yet: the first run makes it.
MoFO fine-tunes a language model and, at every step, moves only the coordinates of largest momentum,
so that it keeps what it knew. A run started on the command line appears here by itself:</source>
        <translation>%1 にはまだワークスペースがありません。最初の実行時に作成されます。
MoFO は言語モデルをファインチューニングし、各ステップでモメンタムが最大の座標だけを更新して、
モデルの既存の知識を保ちます。コマンドラインで開始した実行は、ここに自動的に表示されます:</translation>
    </message>
    <message>
        <source>No run yet in %1.
MoFO fine-tunes a language model and, at every step, moves only the coordinates of largest momentum,
so that it keeps what it knew. A run started on the command line appears here by itself:</source>
        <translation>%1 にはまだ実行がありません。
MoFO は言語モデルをファインチューニングし、各ステップでモメンタムが最大の座標だけを更新して、
モデルの既存の知識を保ちます。コマンドラインで開始した実行は、ここに自動的に表示されます:</translation>
    </message>
    <message>
        <source>No run matches “%1”.</source>
        <translation>「%1」に一致する実行はありません。</translation>
    </message>
</context>
<context>
    <name>mofo::StepPanel</name>
    <message>
        <source>At one step</source>
        <translation>ステップの詳細</translation>
    </message>
    <message>
        <source>Moved share and drift by tensor kind</source>
        <translation>テンソルの種類別の更新率とドリフト</translation>
    </message>
    <message>
        <source>Tensors that drifted most</source>
        <translation>ドリフトが大きいテンソル</translation>
    </message>
    <message>
        <source>No step yet</source>
        <translation>ステップはまだありません</translation>
    </message>
    <message>
        <source>At step %1</source>
        <translation>ステップ %1</translation>
    </message>
    <message>
        <source>At step %1 (newest)</source>
        <translation>ステップ %1（最新）</translation>
    </message>
    <message>
        <source>First statistics after step 1</source>
        <translation>最初の統計はステップ 1 の後に表示されます</translation>
    </message>
    <message>
        <source>Statistics of this step</source>
        <translation>このステップの統計</translation>
    </message>
    <message>
        <source>Statistics of step %1, the nearest measured</source>
        <translation>最も近い測定、ステップ %1 の統計</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>損失</translation>
    </message>
    <message>
        <source>Nats per trained token</source>
        <translation>nat/学習トークン</translation>
    </message>
    <message>
        <source>learning rate</source>
        <translation>学習率</translation>
    </message>
    <message>
        <source>gradient norm</source>
        <translation>勾配ノルム</translation>
    </message>
    <message>
        <source>L2 before clipping</source>
        <translation>クリッピング前の L2</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <comment>moved share of all parameters</comment>
        <translation>%2 中 %1</translation>
    </message>
    <message>
        <source>moved</source>
        <translation>更新</translation>
    </message>
    <message>
        <source>Coordinates that this step changed: selected, and momentum not zero</source>
        <translation>このステップで変化した座標: 選択され、モメンタムが 0 でないもの</translation>
    </message>
    <message>
        <source>threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>Least |momentum| that was selected; median over the filtered tensors</source>
        <translation>選択された |モメンタム| の最小値（フィルター対象テンソルの中央値）</translation>
    </message>
    <message>
        <source>churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Share of the previous logged selection that was not selected again</source>
        <translation>前回記録された選択のうち、今回は選択されなかった割合</translation>
    </message>
    <message>
        <source>ever moved</source>
        <translation>累積更新</translation>
    </message>
    <message>
        <source>Share of the filtered coordinates selected at one logged step at least</source>
        <translation>記録されたステップで 1 回以上選択されたフィルター対象座標の割合</translation>
    </message>
    <message>
        <source>drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Relative L2 distance of the whole model from its pretrained weights</source>
        <translation>事前学習済みの重みからのモデル全体の相対 L2 距離</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>動いた割合</translation>
    </message>
    <message>
        <source>What the bars are of</source>
        <translation>棒の単位</translation>
    </message>
    <message>
        <source>by kind</source>
        <translation>種類別</translation>
    </message>
    <message>
        <source>by layer</source>
        <translation>層別</translation>
    </message>
    <message>
        <source>|m| of the filtered tensors</source>
        <translation>選別対象テンソルの |m|</translation>
    </message>
    <message>
        <source>Dashed line: α = %1 as asked. Hatched: not filtered. ◌: idle rows.</source>
        <translation>破線: 指定した α = %1。斜線: 選別対象外。◌: 動かない行あり。</translation>
    </message>
    <message>
        <source>Reading …</source>
        <translation>読み込み中…</translation>
    </message>
    <message>
        <source>No histogram of |m| is stored for this step</source>
        <translation>このステップの |m| のヒストグラムはありません</translation>
    </message>
    <message>
        <source>Thresholds of the partitions: least %1, quartiles %2 and %3, greatest %4</source>
        <translation>区画のしきい値: 最小 %1、四分位 %2 と %3、最大 %4</translation>
    </message>
</context>
<context>
    <name>mofo::TensorTableModel</name>
    <message>
        <source>Coordinates that moved at this step: selected, and momentum not zero</source>
        <translation>このステップで更新された座標: 選択され、モメンタムが 0 でないもの</translation>
    </message>
    <message>
        <source>Least |momentum| that was selected; median over the tensor&apos;s parts</source>
        <translation>選択された |モメンタム| の最小値（テンソルの各部分の中央値）</translation>
    </message>
    <message>
        <source>‖p − p₀‖ / ‖p₀‖: distance from the pretrained weights</source>
        <translation>‖p − p₀‖ / ‖p₀‖: 事前学習済みの重みからの距離</translation>
    </message>
    <message>
        <source>Largest change of one coordinate since the pretrained weights</source>
        <translation>事前学習済みの重みからの、1 座標の最大変化量</translation>
    </message>
    <message>
        <source>Share of the previous logged selection that was not selected again</source>
        <translation>前回記録された選択のうち、今回は選択されなかった割合</translation>
    </message>
    <message>
        <source>Share of the coordinates selected at one logged step at least</source>
        <translation>記録されたステップで 1 回以上選択された座標の割合</translation>
    </message>
    <message>
        <source>Tensor</source>
        <translation>テンソル</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Layer</source>
        <translation>層</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>サイズ</translation>
    </message>
    <message>
        <source>Moved</source>
        <translation>更新率</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>しきい値</translation>
    </message>
    <message>
        <source>Drift</source>
        <translation>ドリフト</translation>
    </message>
    <message>
        <source>Largest change</source>
        <translation>最大変化</translation>
    </message>
    <message>
        <source>Churn</source>
        <translation>入れ替わり</translation>
    </message>
    <message>
        <source>Ever moved</source>
        <translation>累積更新</translation>
    </message>
    <message>
        <source>Coordinates that the mask selected, whether or not their momentum was zero</source>
        <translation>マスクが選んだ座標 (モメンタムが 0 のものも含む)</translation>
    </message>
    <message>
        <source>Drift over the whole run</source>
        <translation>実行全体のドリフト</translation>
    </message>
    <message>
        <source>Coordinates that differ from the pretrained weights in fp32</source>
        <translation>fp32 で事前学習の重みと異なる座標</translation>
    </message>
    <message>
        <source>Coordinates that still differ after rounding to bf16</source>
        <translation>bf16 に丸めても異なる座標</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>マスク</translation>
    </message>
    <message>
        <source>Drift, trend</source>
        <translation>ドリフトの推移</translation>
    </message>
    <message>
        <source>Changed, fp32</source>
        <translation>変化、fp32</translation>
    </message>
    <message>
        <source>Changed, bf16</source>
        <translation>変化、bf16</translation>
    </message>
</context>
<context>
    <name>mofo::WhatIfCard</name>
    <message>
        <source>What if</source>
        <translation>もし適用したら</translation>
    </message>
    <message>
        <source>What if (estimate)</source>
        <translation>もし適用したら (推定)</translation>
    </message>
    <message>
        <source>What the staged change would select</source>
        <translation>準備中の変更で選ばれるもの</translation>
    </message>
    <message>
        <source>Reading the histograms of step %1 …</source>
        <translation>ステップ %1 のヒストグラムを読み込み中…</translation>
    </message>
    <message>
        <source>No histograms of |m| are stored for step %1: nothing can be estimated.</source>
        <translation>ステップ %1 には |m| のヒストグラムがなく、推定できません。</translation>
    </message>
    <message>
        <source>At %1, by %2: %3 of |m| kept, was %4. Threshold %5, was %6.</source>
        <translation>%1、%2 では |m| の %3 が残ります (今は %4)。しきい値 %5 (今は %6)。</translation>
    </message>
    <message numerus="yes">
        <source>%n tensor(s) would not move.</source>
        <translation>
            <numerusform>%n 個のテンソルは動きません。</numerusform>
        </translation>
    </message>
    <message>
        <source>From the histograms of step %1.</source>
        <translation>ステップ %1 のヒストグラムより。</translation>
    </message>
</context>
</TS>
